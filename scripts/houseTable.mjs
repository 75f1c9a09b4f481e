// `npm run house`: figures of the source tree, as a Markdown table: import cycles, largest folders, long files, and
// what an installation of the command line brings along.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { published, readJson, root, workspaces } from './workspaces.mjs';

const LONG_LINES = 300;
const SHOWN = 5;

function filesIn(folder, ends) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ends.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !/\/(?:node_modules|dist)\//.test(path));
}

const linesOf = (path) => readFileSync(path, 'utf8').split('\n').length - 1;
const short = (path) => relative(root, path);

/** The modules that a module imports by relative paths, types included. */
function importsOf(path) {
  const text = readFileSync(path, 'utf8').replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
  return [...text.matchAll(/\bfrom\s+'(\.{1,2}\/[^']+)\.js'/g)]
    .map(([, specifier]) => `${resolve(dirname(path), specifier)}.ts`)
    .filter(existsSync);
}

/** Strongly connected components of more than one module (Tarjan). */
function cyclesOf(paths) {
  const state = new Map();
  const stack = [];
  const found = [];
  let counter = 0;
  const visit = (path) => {
    const own = { index: counter, low: counter, onStack: true };
    counter += 1;
    state.set(path, own);
    stack.push(path);
    for (const next of importsOf(path)) {
      const known = state.get(next);
      if (known === undefined) own.low = Math.min(own.low, visit(next).low);
      else if (known.onStack) own.low = Math.min(own.low, known.index);
    }
    if (own.low === own.index) {
      const component = stack.splice(stack.indexOf(path));
      for (const member of component) state.get(member).onStack = false;
      if (component.length > 1) found.push(component);
    }
    return own;
  };
  for (const path of paths) if (!state.has(path)) visit(path);
  return found;
}

/** Third parties' packages that installing `name` brings, by the lock file. */
function installedWith(name) {
  const { packages } = readJson(join(root, 'package-lock.json'));
  const ours = new Map(workspaces.map(({ path, manifest }) => [manifest.name, short(path)]));
  const seen = new Set();
  const waiting = [ours.get(name)];
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const { dependencies = {}, peerDependencies = {} } = packages[at] ?? {};
    for (const needed of Object.keys({ ...dependencies, ...peerDependencies })) {
      const own = ours.get(needed);
      const nested = `${at}/node_modules/${needed}`;
      if (own !== undefined) waiting.push(own);
      else if (packages[nested] !== undefined) waiting.push(nested);
      else if (packages[`node_modules/${needed}`] !== undefined) waiting.push(`node_modules/${needed}`);
    }
  }
  return [...seen].filter((path) => path.includes('node_modules/'));
}

const sources = workspaces.flatMap(({ path }) => filesIn(join(path, 'src'), /\.ts$/));
const templates = filesIn(join(root, 'packages/create-rmk-plugin/templates'), /\.ts$/);
const native = published.flatMap(({ path }) => filesIn(join(path, 'native'), /\.[ch]$/));
const shipped = published.flatMap(({ path }) => filesIn(join(path, 'src'), /\.ts$/));
const cycles = cyclesOf([...sources, ...templates]);
const folders = new Map();
for (const path of [...sources, ...native]) folders.set(dirname(path), (folders.get(dirname(path)) ?? 0) + 1);
const largest = [...folders].toSorted(([, one], [, other]) => other - one).slice(0, SHOWN);
const long = [...sources, ...native]
  .map((path) => [path, linesOf(path)])
  .filter(([, lines]) => lines > LONG_LINES)
  .toSorted(([, one], [, other]) => other - one);
const sum = (paths) => paths.reduce((total, path) => total + linesOf(path), 0);
const runtime = installedWith('@rmk/cli');
const bytes = runtime.reduce((total, path) => total + sizeOf(join(root, path)), 0);

function sizeOf(folder) {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((total, { parentPath, name }) => total + statSync(join(parentPath, name)).size, 0);
}

const rows = [
  ['import cycles', `${cycles.length}${cycles.map((cycle) => `; ${cycle.map(short).join(' ⇄ ')}`).join('')}`],
  ['largest folders', largest.map(([path, count]) => `${short(path)} ${count}`).join(', ')],
  [
    `files over ${LONG_LINES} lines`,
    `${long.length}${long.length === 0 ? '' : `: ${long.map(([path, lines]) => `${short(path)} ${lines}`).join(', ')}`}`,
  ],
  ['packages published', String(published.length)],
  ['lines of TypeScript shipped', String(sum(shipped))],
  ['lines of C shipped', String(sum(native))],
  [
    'packages of third parties that @rmk/cli installs',
    `${runtime.length}, ${(bytes / 2 ** 20).toFixed(1)} MiB`,
  ],
];
process.stdout.write(
  `| measure | value |\n| --- | --- |\n${rows.map((row) => `| ${row.join(' | ')} |\n`).join('')}`,
);
