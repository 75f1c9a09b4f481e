// `npm run use-packed -- <folder>`: lets a program outside this clone install RMK without a registry. Packs all
// packages into `<folder>/rmk-packages`, and makes the folder's package.json take them from there.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FOLDER, usePackedBeside } from './packedPackages.mjs';

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
const packed = await usePackedBeside(directory);
process.stdout.write(
  `${packed.size} packages are in ${join(directory, FOLDER)}, and package.json takes them from there ("overrides"). Run npm install in ${directory}.\n`,
);
