// Makes the next version in a clone that is thrown away, without commit, tag or push, and looks at what it has become:
// what is committed here must be fit for `npx lerna version`.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readJson, root } from './workspaces.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'rmk-release-'));
const clone = join(scratch, 'rmk');
const run = (command, ...args) =>
  execFileSync(command, args, { cwd: clone, encoding: 'utf8', stdio: 'pipe' });

/** What the release has left behind that does not agree with its version. */
async function problemsOf(version) {
  const { workspaces, statedVersions } = await import(
    pathToFileURL(join(clone, 'scripts', 'workspaces.mjs')).href
  );
  const ours = new Set(workspaces.map(({ manifest }) => manifest.name));
  const locked = readJson(join(clone, 'package-lock.json')).packages;
  return workspaces.flatMap(({ path, manifest }) => {
    const { name, dependencies = {}, peerDependencies = {} } = manifest;
    const folder = path.slice(clone.length + 1);
    const ranges = Object.entries({ ...dependencies, ...peerDependencies }).filter(([of]) => ours.has(of));
    return [
      ...(manifest.version === version ? [] : [`${name} stays at ${manifest.version}`]),
      ...ranges
        .filter(([, range]) => range !== `^${version}`)
        .map(([of, range]) => `${name} wants ${of} ${range}`),
      ...(locked[folder]?.version === version ? [] : [`package-lock.json has another version of ${name}`]),
      ...(existsSync(join(path, 'CHANGELOG.md')) ? [] : [`${name} has no CHANGELOG.md`]),
      ...statedVersions({ path, manifest })
        .filter(({ text, stamped }) => text !== stamped)
        .map(({ file }) => `${file.slice(clone.length + 1)} states another version`),
    ];
  });
}

try {
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, clone], { stdio: ['ignore', 2, 2] });
  run('git', 'checkout', '--quiet', '-B', 'rehearsal');
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  const before = readJson(join(clone, 'lerna.json')).version;
  const lerna = fileURLToPath(import.meta.resolve('lerna/dist/cli.js'));
  run(process.execPath, lerna, 'version', '--yes', '--no-git-tag-version', '--no-push', '--loglevel=warn');
  const { version } = readJson(join(clone, 'lerna.json'));
  const problems = version === before ? [`lerna stays at ${before}`] : await problemsOf(version);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.stdout.write(`from ${before} to ${version}: ${problems.length} problems\n`);
  if (problems.length > 0) process.exitCode = 1;
} catch ({ stdout = '', stderr = '', message }) {
  process.stderr.write(`the rehearsal of a release failed: ${message}\n${stdout}${stderr}`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true });
}
