import { spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';

export const GDB = 'gdb-multiarch';
const MISSING = `${GDB} is not installed; on Debian: apt-get install ${GDB}`;

/**
 * Tests with a real gdb. Without it they are skipped, and say so; where `CI` is `true` they fail instead, since there
 * nobody reads what was skipped.
 */
export function describeGdb(title: string, tests: () => void): void {
  if (spawnSync(GDB, ['--version']).error === undefined) {
    describe(title, tests);
    return;
  }
  if (process.env['CI'] === 'true') {
    it(`${title}: ${GDB} is installed`, () => {
      throw new Error(MISSING);
    });
    return;
  }
  process.stderr.write(`${title}: skipped, ${MISSING}\n`);
  describe.skip(`${title} (skipped: ${MISSING})`, tests);
}
