// `npm create rmk-plugin` without a registry: writes a plugin whose RMK is the one of this clone, packed beside it.
import { ExitCode, main } from '../packages/create-rmk-plugin/dist/index.js';
import { FOLDER, usePackedBeside } from './packedPackages.mjs';

// `npm run` changes to the clone; where it was called is where the plugin is to be.
process.chdir(process.env.INIT_CWD ?? '.');

let directory;
const code = await main(process.argv.slice(2), undefined, (plugin) => {
  directory = plugin.directory;
});
if (code === ExitCode.DONE && directory !== undefined) {
  await usePackedBeside(directory);
  process.stdout.write(
    `\nRMK lies in ${FOLDER}, packed from this clone, and package.json names it there. Before the plugin is published:\n` +
      'take "overrides" out, and give each @rmk package a range of versions.\n',
  );
}
process.exitCode = code;
