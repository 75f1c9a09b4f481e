import { fileURLToPath } from 'node:url';
import { describeIfInstalled, versionOf } from '../../../test/describeIfInstalled.js';

export const QEMU = 'qemu-system-x86_64';
/** The same for {@link QemuHypervisor}, ending with the process of the test. */
export const MORTAL_QEMU = fileURLToPath(new URL('mortalQemu.sh', import.meta.url));

/** Why there are no tests on a real QEMU. Undefined where it is installed. */
export const MISSING_QEMU =
  versionOf(QEMU) === undefined
    ? `${QEMU} is not installed; on Debian: apt-get install qemu-system-x86`
    : undefined;

/** Tests on a real QEMU. */
export function describeQemu(title: string, tests: () => void): void {
  describeIfInstalled(title, MISSING_QEMU, tests);
}
