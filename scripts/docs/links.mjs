// Rewrites what a Markdown file links to: in the repository paths of files, on the site addresses of pages.
import { isFile, pages, read, resolved } from './repository.mjs';

const LANGUAGES = { mjs: 'js', h: 'c', mts: 'ts', dts: 'ts' };

/** Splits Markdown into fenced code, which stays as it is, and text. */
function mapText(markdown, change) {
  return markdown
    .split(/^(```[\s\S]*?^```$)/m)
    .map((part, index) => (index % 2 === 1 ? part : change(part)))
    .join('');
}

/**
 * Files that are linked but are no pages: images, which are copied, and sources, which get a page each.
 */
export class Links {
  images = new Set();
  sources = new Set();

  rewrite(path, markdown) {
    const address = (target) => this.#addressOf(path, target);
    return mapText(markdown, (text) =>
      picturesByTheme(text)
        .replaceAll(/(\]\()([^)\s]+)(\))/g, (_, open, target, close) => open + address(target) + close)
        .replaceAll(/^(\[[^\]]+\]: )(\S+)$/gm, (_, open, target) => open + address(target))
        .replaceAll(
          /((?:src|href)=")([^"]+)(")/g,
          (_, open, target, close) => open + address(target) + close,
        ),
    );
  }

  /** A page for each linked source, by its address. */
  sourcePages() {
    return new Map(
      [...this.sources].map((path) => {
        const [, extension = 'text'] = /\.(\w+)$/.exec(path) ?? [];
        const language = LANGUAGES[extension] ?? extension;
        return [`source/${path}`, `# ${path}\n\n\`\`\`\`${language}\n${read(path)}\`\`\`\`\n`];
      }),
    );
  }

  #addressOf(from, target) {
    if (/^(?:[a-z]+:|#|\/)/.test(target)) return target;
    const [file = '', anchor] = target.split('#');
    const path = resolved(from, file);
    const suffix = anchor === undefined ? '' : `#${anchor}`;
    const page = pages.get(path) ?? pages.get(`${path}/README.md`);
    if (page !== undefined) return `/${page}${suffix}`;
    if (!isFile(path)) throw new Error(`${from} links to ${target}, which does not exist`);
    if (/\.(?:svg|png)$/.test(path)) {
      this.images.add(path);
      return `/${path}`;
    }
    this.sources.add(path);
    // VitePress takes `.ts` for the extension of a file, so that of the page is given.
    return `/source/${path}.html${suffix}`;
  }
}

/** `<picture>` follows the system; the site has a switch of its own. So there both images stand, and CSS hides one. */
function picturesByTheme(text) {
  return text.replaceAll(/<picture>([\s\S]*?)<\/picture>/g, (_, inside) => {
    const [, dark = ''] = /srcset="([^"]+)"/.exec(inside) ?? [];
    const [, image = ''] = /(<img [\s\S]*?>)/.exec(inside) ?? [];
    const classed = (name, source) =>
      image.replace('<img ', `<img class="${name}" `).replace(/src="[^"]+"/, `src="${source ?? '$&'}"`);
    const [, light = ''] = /src="([^"]+)"/.exec(image) ?? [];
    return classed('light-only', light) + classed('dark-only', dark);
  });
}
