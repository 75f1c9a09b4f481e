import { type BootData, parseProgram, RAM_BASE } from '@rmk/hypervisor-embedded';

/** A guest as both sides get it. */
export interface OracleGuest {
  readonly name: string;
  readonly elf: Uint8Array;
  /** A multiple of 8 KiB: QEMU rounds to that. */
  readonly memoryBytes: number;
  readonly bootData?: readonly BootData[];
  /** Sent on the serial line once the guest has put out its first byte: by then it has set its UART up. */
  readonly input?: Uint8Array;
}

export interface QemuGuestFiles {
  readonly args: readonly string[];
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const KIBIBYTE = 1024;

/**
 * The guest as arguments of `qemu-system-riscv32`, and the files that these name, to be written into `folder`. With
 * `-kernel` QEMU starts at the beginning of RAM, whatever the ELF says; one that starts elsewhere is given by `-device
 * loader`, which sets the pc.
 */
export function qemuGuestFiles(guest: OracleGuest, folder: string): QemuGuestFiles {
  if (guest.memoryBytes % (8 * KIBIBYTE) !== 0) {
    throw new Error(`${guest.name}: QEMU takes memory in multiples of 8 KiB, not ${guest.memoryBytes} bytes`);
  }
  const elf = `${folder}/guest.elf`;
  const files = new Map([[elf, guest.elf]]);
  const { entry } = parseProgram(guest.elf, guest.name);
  const start = entry === RAM_BASE ? ['-kernel', elf] : ['-device', `loader,file=${elf},cpu-num=0`];
  const loaders = (guest.bootData ?? []).flatMap(({ address, data }, index) => {
    const file = `${folder}/boot${index}.bin`;
    files.set(file, data);
    return ['-device', `loader,file=${file},addr=${address},force-raw=on`];
  });
  return { args: ['-bios', 'none', '-m', `${guest.memoryBytes / KIBIBYTE}k`, ...start, ...loaders], files };
}
