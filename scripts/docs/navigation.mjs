// The site's navigation: each page says in its front matter in which section it stands, and where in it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, workspaces } from '../workspaces.mjs';

/** Where the pages are assembled that the site is built from. */
export const staged = join(root, 'docs', '.vitepress', 'pages');

export const version =
  workspaces.find(({ manifest }) => manifest.name === '@rmk/core')?.manifest.version ?? '';

/** Front matter for a page that is generated, or that is a file of another purpose. */
export function placed(section, order, markdown, title) {
  const named = title === undefined ? '' : `navigation: ${title}\n`;
  return `---\nsection: ${section}\norder: ${order}\n${named}---\n\n${markdown}`;
}

/** The guides and the reference by section, then a collapsed section of packages and one of plugins. */
export function sidebar() {
  const pages = readdirSync(staged, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map(placeOf)
    .filter((page) => page !== undefined)
    .toSorted((a, b) => a.order - b.order);
  const sections = [...new Set(pages.map(({ section }) => section))].map((section) => ({
    text: section,
    items: pages.filter((page) => page.section === section).map(({ text, link }) => ({ text, link })),
  }));
  return [
    ...sections,
    { text: 'Packages', collapsed: true, items: packagePages('packages') },
    { text: 'Plugins', collapsed: true, items: packagePages('plugins') },
  ];
}

function placeOf(file) {
  const [, front = '', body = ''] =
    /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(readFileSync(join(staged, file), 'utf8')) ?? [];
  const { section, order, navigation } = Object.fromEntries(
    front.split('\n').map((line) => line.split(/: (.*)/, 2)),
  );
  if (section === undefined) return undefined;
  const [, heading] = /^# (.+)$/m.exec(body) ?? [];
  const link = `/${file.slice(0, -'.md'.length)}`.replace(/\/index$/, '/');
  return { section, order: Number(order), text: navigation ?? heading ?? link, link };
}

/** A link to the page of each package in `packages` or `plugins`. */
function packagePages(folder) {
  return workspaces
    .map(({ path }) => path.split('/').slice(-2))
    .filter(([parent]) => parent === folder)
    .map(([parent, name]) => ({ text: name, link: `/${parent}/${name}` }));
}
