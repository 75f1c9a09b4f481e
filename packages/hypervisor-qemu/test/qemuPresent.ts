import { fileURLToPath } from 'node:url';
import { describeIfInstalled, versionOf } from '../../../test/describeIfInstalled.js';

export const QEMU = 'qemu-system-x86_64';
/** The same for {@link QemuHypervisor}, ending with the process of the test. */
export const MORTAL_QEMU = fileURLToPath(new URL('mortalQemu.sh', import.meta.url));

/** The first line of QEMU's own `--version`; absent where it is not installed. */
export const qemuVersion: string | undefined = versionOf(QEMU);

/** Why there are no tests on a real QEMU. Undefined where it is installed. */
export const MISSING_QEMU =
  qemuVersion === undefined
    ? `${QEMU} is not installed; on Debian: apt-get install qemu-system-x86`
    : undefined;

/** Tests on a real QEMU. */
export function describeQemu(title: string, tests: () => void): void {
  describeIfInstalled(title, MISSING_QEMU, tests);
}
