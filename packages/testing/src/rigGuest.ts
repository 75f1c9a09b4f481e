import { bootFile, GUESTS, readGuest, type GuestName } from '@rmk/guests';
import type { MachineOptions } from '@rmk/hypervisor-embedded';

/** A guest of RMK by name, with the file that it may want, or a machine described in full. */
export type RigGuest =
  | { readonly guest: GuestName; readonly file?: Uint8Array; readonly machine?: Partial<MachineOptions> }
  | { readonly machine: MachineOptions };

/** The options of a guest of RMK, as a machine. */
export function guestMachine(guest: GuestName, file?: Uint8Array): MachineOptions {
  return {
    name: guest,
    elf: readGuest(guest),
    elfSource: `${guest}.elf`,
    memoryBytes: GUESTS[guest].memoryBytes,
    ...(file === undefined ? {} : { bootData: [bootFile(file, 'the file of the rig')] }),
  };
}

export function machineOf(options: RigGuest): MachineOptions {
  return 'guest' in options
    ? { ...guestMachine(options.guest, options.file), ...options.machine }
    : options.machine;
}
