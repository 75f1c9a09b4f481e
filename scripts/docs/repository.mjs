// The files that the site is made of, and the address of each page.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { root } from '../workspaces.mjs';

export { root };

export const read = (path) => readFileSync(join(root, path), 'utf8');
export const isFile = (path) => existsSync(join(root, path)) && statSync(join(root, path)).isFile();

/** Tracked files, and new ones that git does not ignore. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
})
  .split('\n')
  .filter((path) => path !== '' && isFile(path));

/** Page of the site for each Markdown file of the repository: path in the repository → address without extension. */
export const pages = new Map(
  files
    .filter((path) => path.endsWith('.md'))
    .filter((path) => !/^api\/|\/templates\/|\/fixtures\//.test(path))
    .map((path) => [path, addressOf(path)]),
);

function addressOf(path) {
  if (path === 'README.md') return 'readme';
  if (path.startsWith('docs/')) return path.slice('docs/'.length, -'.md'.length);
  if (!path.includes('/')) return path.slice(0, -'.md'.length).toLowerCase();
  // A package's README is the page of its folder.
  return path.replace(/\/README\.md$/, '').replace(/\.md$/, '');
}

/** Path in the repository that `target` leads to from the file `from`. */
export function resolved(from, target) {
  return posix.normalize(posix.join(dirname(from), target)).replace(/\/$/, '');
}
