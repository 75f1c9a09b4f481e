import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withArticle, type Kind } from './kinds.js';
import type { PluginNames } from './pluginNames.js';
import { UsageError } from './usageError.js';

/** The files of a plugin, by their paths within it, with `/`. */
export type PluginFiles = ReadonlyMap<string, string>;

interface PackageJson {
  readonly keywords?: readonly string[];
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** What stands in the templates for what the user chooses; they are sound TypeScript as they are. */
const PLACEHOLDERS = /rmk-plugin-plugin-name|pluginName|PluginName|PLUGINNAME|0\.0\.0-rmk/g;
const IDENTIFIERS = /[\p{L}_$][\p{L}\p{N}_$]*/gu;
const MANIFEST = 'manifest.json';
/** npm would not pack a file of the one name, and tools would take one of the other for a package of ours. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['gitignore', '.gitignore'],
  [MANIFEST, 'package.json'],
]);

/** The files of a plugin of this kind. `RMK` of `version` is what it will work with. */
export function filledTemplate(kind: Kind, names: PluginNames, version: string): PluginFiles {
  const common = templateFiles('common');
  const own = templateFiles(kind);
  const files = new Map([...common, ...own]);
  files.set(MANIFEST, merged(common.get(MANIFEST), own.get(MANIFEST)));
  refuseTakenName(names, kind, files);
  const fill = (text: string): string =>
    text.replaceAll(PLACEHOLDERS, (placeholder) => {
      if (placeholder === 'rmk-plugin-plugin-name') return names.packageName;
      if (placeholder === 'pluginName') return names.camelCase;
      if (placeholder === 'PluginName') return names.pascalCase;
      return placeholder === 'PLUGINNAME' ? names.capitals : version;
    });
  return new Map([...files].map(([path, text]) => [fill(RENAMED.get(path) ?? path), fill(text)]));
}

function templateFiles(folder: string): PluginFiles {
  const root = fileURLToPath(new URL(`../templates/${folder}`, import.meta.url));
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [relative(root, path).replaceAll(sep, '/'), readFileSync(path, 'utf8')];
    }),
  );
}

/** What the kind says goes over what is common; keywords and development dependencies are added to. */
function merged(common = '{}', own = '{}'): string {
  const base = JSON.parse(common) as PackageJson;
  const over = JSON.parse(own) as PackageJson;
  const keywords = [...(base.keywords ?? []), ...(over.keywords ?? [])];
  const dependencies = Object.entries({ ...base.devDependencies, ...over.devDependencies });
  const devDependencies = Object.fromEntries(
    dependencies.toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
  return `${JSON.stringify({ ...base, ...over, keywords, devDependencies }, undefined, 2)}\n`;
}

/** The factory and the class must not be called as anything that the files name. */
function refuseTakenName(
  { camelCase, pascalCase, folder }: PluginNames,
  kind: Kind,
  files: PluginFiles,
): void {
  const sources = [...files].filter(([path]) => path.endsWith('.ts')).map(([, text]) => text);
  const taken = new Set(sources.flatMap((text) => text.match(IDENTIFIERS) ?? []));
  if (!taken.has(camelCase) && !taken.has(pascalCase)) return;
  throw new UsageError(
    `${withArticle(kind)} cannot be called ${camelCase}, since the word has a meaning of its own in its files: ` +
      `add one, such as ${folder}-${kind}`,
  );
}
