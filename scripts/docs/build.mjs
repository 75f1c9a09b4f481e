// Builds the documentation site: `npm run docs`. The pages are assembled in docs/.vitepress/pages from docs/, the READMEs
// of all packages and what reference.mjs and apiPages.mjs generate; VitePress renders them to docs/.vitepress/dist.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'vitepress';
import { apiPages } from './apiPages.mjs';
import { Links } from './links.mjs';
import { eventsPage, optionsPage, tokensPage } from './reference.mjs';
import { pages, read, root } from './repository.mjs';

const site = join(root, 'docs', '.vitepress');
const staged = join(site, 'pages');

function write(address, markdown) {
  const file = join(staged, `${address}.md`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, markdown);
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
