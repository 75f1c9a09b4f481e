import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';

export const QEMU = 'qemu-system-x86_64';
/** The same for {@link QemuHypervisor}, ending with the process of the test. */
export const MORTAL_QEMU = fileURLToPath(new URL('mortalQemu.sh', import.meta.url));

const { error, stdout } = spawnSync(QEMU, ['--version'], { encoding: 'utf8' });
const MISSING = `${QEMU} is not installed; on Debian: apt-get install qemu-system-x86`;

/** The first line of QEMU's own `--version`; absent where it is not installed. */
export const qemuVersion: string | undefined = error === undefined ? stdout.split('\n')[0] : undefined;

/**
 * Tests on a real QEMU. Without it they are skipped, and say so; where `CI` is `true` they fail instead, since there
 * nobody reads what was skipped.
 */
export function describeQemu(title: string, tests: () => void): void {
  if (qemuVersion !== undefined) {
    describe(title, tests);
    return;
  }
  if (process.env['CI'] === 'true') {
    it(`${title}: ${QEMU} is installed`, () => {
      throw new Error(MISSING);
    });
    return;
  }
  process.stderr.write(`${title}: skipped, ${MISSING}\n`);
  describe.skip(`${title} (skipped: ${MISSING})`, tests);
}
