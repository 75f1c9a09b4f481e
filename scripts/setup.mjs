// Prepares a clone: installs what package-lock.json names and builds, each only if something changed.
// Runs before `npm start` and `npm test`. Prints to stderr only, so that stdout belongs to the command.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(what, command, args) {
  process.stderr.write(`${what}\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  process.stderr.write(`${what} failed${error === undefined ? '' : `: ${error.message}`}\n`);
  process.exit(1);
}

/** Whether `npm ci`, whoever ran it, has installed what package-lock.json names: npm keeps its own record of that. */
function isInstalled() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = packagesIn(record);
  return Object.entries(packagesIn(join(root, 'package-lock.json'))).every(([path, wanted]) => {
    if (!path.includes('node_modules/')) return true;
    const found = installed[path];
    // Packages for other platforms are optional.
    if (found === undefined) return wanted.optional === true;
    return (
      found.version === wanted.version && found.integrity === wanted.integrity && found.link === wanted.link
    );
  });
}

function packagesIn(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

if (!isInstalled()) {
  // Under `npm start` npm itself says where it is.
  const { npm_execpath: npm } = process.env;
  const [command, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  run('Installing the dependencies …', command, [...first, 'ci', '--no-audit', '--loglevel=error']);
}

// The build is incremental: without changes it takes a fraction of a second. `npm start` names what it needs.
const built = existsSync(join(root, 'packages', 'cli', 'dist', 'index.js'));
run(built ? 'Checking the build …' : 'Building …', process.execPath, [
  join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
  '-b',
  ...process.argv.slice(2),
]);
