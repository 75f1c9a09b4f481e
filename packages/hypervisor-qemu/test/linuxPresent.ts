import { messageOf } from '@rmk/core';
import { linuxGuest, type LinuxGuest } from '@rmk/hypervisor-qemu';
import { describe, it } from 'vitest';
import { describeQemu, qemuVersion } from './qemuPresent.js';

// Built here where it is not in the cache yet, which takes longer than a test may; nothing is installed for it.
const found: LinuxGuest | string =
  qemuVersion === undefined ? 'there is no QEMU' : await linuxGuest().catch(messageOf);

/**
 * Tests with the demo guest on a real QEMU. Where either cannot be had they are skipped, and say so; with `CI` they
 * fail instead.
 */
export function describeLinux(title: string, tests: (guest: LinuxGuest) => void): void {
  if (typeof found !== 'string') {
    const guest = found;
    describeQemu(title, () => tests(guest));
  } else if (qemuVersion === undefined) {
    describeQemu(title, () => {
      it('needs the demo guest', () => {});
    });
  } else if (process.env['CI'] === 'true') {
    it(`${title}: there is the demo guest`, () => {
      throw new Error(found);
    });
  } else {
    process.stderr.write(`${title}: skipped, ${found}\n`);
    describe.skip(`${title} (skipped: ${found})`, () => {
      it('needs the demo guest', () => {});
    });
  }
}
