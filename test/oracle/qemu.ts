import { spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';

export const QEMU = 'qemu-system-riscv32';

/** The first line of QEMU's own `--version`; absent where it is not installed. */
const qemuVersion = versionOf(QEMU);

const MISSING = `${QEMU} is not installed; on Debian: apt-get install qemu-system-misc`;

/**
 * Tests that compare with QEMU. Without it they are skipped, and say so; where `CI` is `true` they fail instead, since
 * there nobody reads what was skipped.
 */
export function describeOracle(title: string, tests: () => void): void {
  const name = `oracle: ${title}`;
  if (qemuVersion !== undefined) {
    describe(name, tests);
    return;
  }
  if (process.env['CI'] === 'true') {
    it(`${name}: ${QEMU} is installed`, () => {
      throw new Error(MISSING);
    });
    return;
  }
  process.stderr.write(`${name}: skipped, ${MISSING}\n`);
  describe.skip(`${name} (skipped: ${MISSING})`, tests);
}

function versionOf(command: string): string | undefined {
  const { error, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return error === undefined ? stdout.split('\n')[0] : undefined;
}
