import {
  commandNeed,
  installMissing,
  linuxGuest,
  type LinuxGuest,
  type Progress,
} from '@rmk/hypervisor-qemu';

const NEEDS = [
  commandNeed('qemu-system-x86_64', 'qemu-system-x86'),
  // Builds the library that works inside QEMU.
  commandNeed('cc', 'gcc'),
];

/** Makes ready what the demo needs: installs it where this process may, else `RMK_ERR_MISSING` says what to install. */
export async function setUpQemu(progress: Progress): Promise<LinuxGuest> {
  await installMissing(NEEDS, { install: true, progress });
  return linuxGuest({ install: true, progress });
}
