import { messageOf } from '@rmk/core';
import { linuxGuest, type LinuxGuest } from '@rmk/hypervisor-qemu';
import { it } from 'vitest';
import { describeIfInstalled } from '../../../test/describeIfInstalled.js';
import { MISSING_QEMU } from './qemuPresent.js';

// Built here where it is not in the cache yet, which takes longer than a test may; nothing is installed for it.
const found: LinuxGuest | string = MISSING_QEMU ?? (await linuxGuest().catch(messageOf));

/** Tests with the demo guest on a real QEMU. */
export function describeLinux(title: string, tests: (guest: LinuxGuest) => void): void {
  if (typeof found !== 'string') {
    const guest = found;
    describeIfInstalled(title, undefined, () => tests(guest));
    return;
  }
  describeIfInstalled(title, found, () => {
    it('needs the demo guest', () => {});
  });
}
