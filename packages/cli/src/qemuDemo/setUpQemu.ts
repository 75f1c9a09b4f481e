import { existsSync } from 'node:fs';
import {
  commandNeed,
  installMissing,
  linuxGuest,
  type LinuxGuest,
  type Progress,
} from '@rmk/hypervisor-qemu';

const NEEDS = [
  commandNeed('qemu-system-x86_64', 'qemu-system-x86'),
  // Both build the library that runs inside QEMU.
  commandNeed('cc', 'gcc'),
  {
    what: 'headers of the C library',
    debianPackage: 'libc6-dev',
    present: () => Promise.resolve(existsSync('/usr/include/stdio.h')),
  },
];

/**
 * Installs what the demo needs. Throws RMK_ERR_NOTINSTALLED, with the command to run, if this process must not install.
 */
export async function setUpQemu(progress: Progress): Promise<LinuxGuest> {
  await installMissing(NEEDS, { install: true, progress });
  return linuxGuest({ install: true, progress });
}
