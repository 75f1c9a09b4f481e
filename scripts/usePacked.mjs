// `npm run use-packed -- <folder>`: lets a program outside this clone install RMK without a registry. Packs all
// packages into `<folder>/rmk-packages`, and makes the folder's package.json take them from there.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { packPackages, usePacked } from './packedPackages.mjs';

const FOLDER = 'rmk-packages';

const [given] = process.argv.slice(2);
// `npm run` changes to the clone; paths are relative to where it was called.
const directory = given === undefined ? undefined : resolve(process.env.INIT_CWD ?? '.', given);
if (directory === undefined || !existsSync(join(directory, 'package.json'))) {
  process.stderr.write(
    directory === undefined
      ? 'Usage: npm run use-packed -- <folder>, a folder with a package.json.\n'
      : `${directory} has no package.json. Run npm init there first.\n`,
  );
  process.exit(2);
}
const folder = join(directory, FOLDER);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const packed = await packPackages(folder);
usePacked(
  directory,
  new Map(Array.from(packed, ([name, tarball]) => [name, `${FOLDER}/${basename(tarball)}`])),
);
process.stdout.write(
  `${packed.size} packages are in ${folder}, and package.json takes them from there ("overrides"). Run npm install in ${directory}.\n`,
);
