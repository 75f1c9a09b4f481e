// #region shown
import { main } from '@rmk/cli';

const exitCode = await main(['run', 'rmk.config.ts', '--json'], {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
// #endregion
process.exitCode = exitCode;
