// Makes a fresh clone ready: installs what package-lock.json names and builds, each only when something changed.
// Runs before `npm start` and `npm test`; everything that it prints goes to stderr, so that stdout is the command's own.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'node_modules', '.rmk-installed');

function run(what, command, args) {
  process.stderr.write(`${what}\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  process.stderr.write(`${what} failed${error === undefined ? '' : `: ${error.message}`}\n`);
  process.exit(1);
}

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  // Under `npm start` npm itself says where it is; called by hand, it is looked for.
  const { npm_execpath: npm } = process.env;
  const [command, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  run('Installing the dependencies …', command, [...first, 'ci', '--no-audit', '--loglevel=error']);
  writeFileSync(stamp, lock);
}

// The build itself is incremental: without changes it takes a fraction of a second. `npm start` names what it needs.
const built = existsSync(join(root, 'packages', 'cli', 'dist', 'index.js'));
run(built ? 'Checking the build …' : 'Building …', process.execPath, [
  join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
  '-b',
  ...process.argv.slice(2),
]);
