// Builds the documentation site: `npm run docs`. The pages are assembled in docs/.vitepress/pages from docs/, the
// READMEs of all packages and what reference.mjs and apiPages.mjs generate; VitePress renders them to
// docs/.vitepress/dist.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'vitepress';
import { apiPages } from './apiPages.mjs';
import { Links } from './links.mjs';
import { placed, staged } from './navigation.mjs';
import { eventsPage, optionsPage, tokensPage } from './reference.mjs';
import { pages, read, root } from './repository.mjs';

/** Pages whose source is a file of another purpose, or generated: section, order, and the text of the link. */
const PLACES = {
  architecture: ['Understand', 33],
  changelog: ['Understand', 34],
  'reference/events': ['Reference', 41],
  'reference/tokens': ['Reference', 42],
  'reference/options': ['Reference', 43],
  'packages/cli': ['Reference', 45, 'Command line'],
  'api/index': ['Reference', 46, 'API'],
};

function write(address, markdown) {
  const file = join(staged, `${address}.md`);
  mkdirSync(dirname(file), { recursive: true });
  const [section, order, title] = PLACES[address] ?? [];
  writeFileSync(file, section === undefined ? markdown : placed(section, order, markdown, title));
}

rmSync(staged, { recursive: true, force: true });
const links = new Links();
for (const [path, address] of pages) write(address, links.rewrite(path, read(path)));
write('reference/events', eventsPage());
write('reference/tokens', await tokensPage());
write('reference/options', await optionsPage());
for (const [address, markdown] of apiPages()) write(address, markdown);
for (const [address, markdown] of links.sourcePages()) write(address, markdown);
for (const path of links.images) cpSync(join(root, path), join(staged, 'public', path), { recursive: true });
await build(join(root, 'docs'), { logLevel: 'warn' });
