// Checks every package as it would be published: what its tarball holds, publint, and are-the-types-wrong.
// Prints a line for each package; what is wrong goes to stderr, and the exit code is 1.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { published, root, statedVersions, workspaces } from './workspaces.mjs';

const run = promisify(execFile);
const LARGE = { cwd: root, maxBuffer: 1 << 26 };
const FIELDS = ['version', 'description', 'keywords', 'exports', 'files', 'engines', 'publishConfig'];

/** What a package must hold, and what it must not. */
function contentProblems({ path, manifest }, files) {
  const has = new Set(files);
  const sources = files.filter((file) => /^src\/.*\.ts$/.test(file));
  const built = files.filter((file) => /^dist\/.*\.js$/.test(file));
  return [
    ...FIELDS.filter((field) => !(field in manifest)).map((field) => `package.json has no "${field}"`),
    ...['README.md'].filter((file) => !has.has(file)).map((file) => `there is no ${file}`),
    ...files
      .filter((file) => !file.startsWith('templates/'))
      .filter((file) => /(^|\/)tests?\/|\.test\.|tsbuildinfo/.test(file))
      .map((file) => `${file} is of use to no user: leave it out of "files"`),
    ...built
      .filter((file) => !has.has(file.replace(/^dist\/(.*)\.js$/, 'src/$1.ts')))
      .map((file) => `${file} is left from a source that is gone: remove dist, then npm run setup`),
    ...sources
      .flatMap((file) => ['js', 'd.ts'].map((end) => file.replace(/^src\/(.*)\.ts$/, `dist/$1.${end}`)))
      .filter((file) => !has.has(file))
      .map((file) => `${file} has not been built: npm run setup`),
    ...files
      .filter((file) => file.endsWith('.map'))
      .flatMap((file) =>
        JSON.parse(readFileSync(join(path, file), 'utf8')).sources.map((source) => join(file, '..', source)),
      )
      .filter((source) => !has.has(source))
      .map((source) => `a source map names ${source}, which is not in the package`),
  ];
}

/**
 * Of other packages of this project a package names those that its sources import, with the version that is here. In
 * devDependencies they would make cycles, at which lerna stops; what tests see is in their tsconfig.json.
 */
function dependencyProblems({ path, manifest }, files) {
  const versions = new Map(workspaces.map((one) => [one.manifest.name, one.manifest.version]));
  const sources = files
    .filter((file) => /^src\/.*\.ts$/.test(file))
    .map((file) => readFileSync(join(path, file), 'utf8'));
  const imported = new Set(
    sources.flatMap((text) =>
      [...text.matchAll(/\b(?:from|import)\s*\(?'(@rmk\/[^'/]+)'/g)].map(([, name]) => name),
    ),
  );
  const named = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies });
  const ours = named.filter(([name]) => versions.has(name));
  return [
    ...[...imported]
      .filter((name) => name !== manifest.name && !ours.some(([of]) => of === name))
      .map((name) => `the sources import ${name}: name it in "dependencies"`),
    ...ours
      .filter(([name]) => !sources.some((text) => text.includes(`'${name}'`)))
      .map(([name]) => `no source names ${name}: take it out of "dependencies"`),
    ...ours
      .filter(([name, range]) => range !== `^${versions.get(name)}`)
      .map(([name, range]) => `${name} is wanted as ${range}, and is ^${versions.get(name)} here`),
    ...Object.keys(manifest.devDependencies ?? {})
      .filter((name) => versions.has(name))
      .map((name) => `"devDependencies" names ${name}: leave that to test/tsconfig.json`),
  ];
}

function versionProblems(workspace) {
  return statedVersions(workspace)
    .filter(({ text, stamped }) => text !== stamped)
    .map(({ file }) => `${file} states another version than package.json`);
}

async function publintProblems(tarball) {
  const { messages, pkg } = await publint({
    pack: { tarball: toArrayBuffer(readFileSync(tarball)) },
    strict: true,
  });
  return messages
    .filter(({ type }) => type !== 'suggestion')
    .map((message) => `publint: ${formatMessage(message, pkg)}`);
}

function toArrayBuffer({ buffer, byteOffset, byteLength }) {
  return buffer.slice(byteOffset, byteOffset + byteLength);
}

async function typeProblems(tarball) {
  const attw = fileURLToPath(
    new URL('dist/index.js', import.meta.resolve('@arethetypeswrong/cli/package.json')),
  );
  try {
    // Packages are ES modules alone: whoever still needs CommonJS imports them dynamically.
    await run(
      process.execPath,
      [attw, tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-color'],
      LARGE,
    );
    return [];
  } catch ({ stdout, stderr, message }) {
    return [`are-the-types-wrong: ${stdout || stderr || message}`];
  }
}

async function check(workspace, scratch, packed) {
  const { name } = workspace.manifest;
  const { filename, files, unpackedSize } = packed.find((one) => one.name === name);
  const tarball = join(scratch, filename);
  const paths = files.map(({ path }) => path);
  const problems = [
    ...contentProblems(workspace, paths),
    ...dependencyProblems(workspace, paths),
    ...versionProblems(workspace),
    ...(await publintProblems(tarball)),
    ...(await typeProblems(tarball)),
  ];
  const kib = Math.ceil(unpackedSize / 1024);
  process.stdout.write(
    `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name}: ${paths.length} files, ${kib} KiB\n`,
  );
  for (const problem of problems) process.stderr.write(`     ${name}: ${problem}\n`);
  return problems.length;
}

const scratch = mkdtempSync(join(tmpdir(), 'rmk-packages-'));
try {
  const only = published.map(({ manifest }) => `--workspace=${manifest.name}`);
  const args = ['pack', ...only, '--json', '--loglevel=error', '--pack-destination', scratch];
  const packed = JSON.parse((await run('npm', args, LARGE)).stdout);
  const waiting = [...published];
  let problems = 0;
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const found = await check(next, scratch, packed);
      problems += found;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  process.stdout.write(`${published.length} packages, ${problems} problems\n`);
  if (problems > 0) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true });
}
