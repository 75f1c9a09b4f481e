import { describeIfInstalled, versionOf } from '../describeIfInstalled.js';

export const QEMU = 'qemu-system-riscv32';

const MISSING =
  versionOf(QEMU) === undefined
    ? `${QEMU} is not installed; on Debian: apt-get install qemu-system-misc`
    : undefined;

/** Tests that compare with QEMU. */
export function describeOracle(title: string, tests: () => void): void {
  describeIfInstalled(`oracle: ${title}`, MISSING, tests);
}
