import { RmkError } from '@rmk/core';
import type { QmpClient } from '../qmp/qmpClient.js';

/** A stretch of guest-physical addresses, and where it lies in the file of guest RAM. */
export interface MappedRam {
  readonly begin: number;
  readonly bytes: number;
  readonly offset: number;
}

/** How a PC shows its RAM: what does not fit below the devices' addresses follows from 4 GiB on. */
const ALIAS =
  /^\s*([\da-f]{16})-[\da-f]{16} \(prio -?\d+, ram\): alias ram-(?:below|above)-4g @\S+ ([\da-f]{16})-([\da-f]{16})/gm;

/** The places of guest RAM in guest-physical memory, which has a hole for devices below 4 GiB. */
export class MemoryMap {
  constructor(
    private readonly vm: string,
    readonly ranges: readonly MappedRam[],
  ) {}

  /**
   * As `info mtree` of QEMU lists it. Throws `RMK_ERR_HYPERVISOR` if the listing does not account for all of RAM: reads
   * and writes would go to the wrong pages.
   */
  static parse(vm: string, listing: string, memoryBytes: number): MemoryMap {
    const ranges = [...listing.matchAll(ALIAS)].map(([, begin = '', from = '', to = '']): MappedRam => {
      const [first, last] = [Number(`0x${from}`), Number(`0x${to}`)];
      return { begin: Number(`0x${begin}`), bytes: last - first + 1, offset: first };
    });
    // The listing repeats what is seen through several address spaces.
    const distinct = [...new Map(ranges.map((range) => [range.begin, range])).values()];
    const found = distinct.toSorted((a, b) => a.begin - b.begin);
    const total = found.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total === memoryBytes) return new MemoryMap(vm, found);
    throw new RmkError(
      'RMK_ERR_HYPERVISOR',
      `where the guest of VM ${JSON.stringify(vm)} sees its RAM is unknown: QEMU lists ${total} of ${memoryBytes} bytes (info mtree). Use the machine type pc or q35.`,
    );
  }

  static async query(vm: string, qmp: QmpClient, memoryBytes: number): Promise<MemoryMap> {
    return MemoryMap.parse(vm, await qmp.humanMonitor('info mtree'), memoryBytes);
  }

  /** Where the bytes at a guest-physical address lie in the file. Throws `RMK_ERR_ADDRESS` unless all are RAM. */
  offsetOf(address: number, bytes: number): number {
    const valid = Number.isInteger(address) && Number.isInteger(bytes) && bytes >= 0;
    const range = valid
      ? this.ranges.find(({ begin, bytes: size }) => address >= begin && address + bytes <= begin + size)
      : undefined;
    if (range !== undefined) return range.offset + (address - range.begin);
    const ram = this.ranges.map(
      ({ begin, bytes: size }) => `0x${begin.toString(16)} to 0x${(begin + size - 1).toString(16)}`,
    );
    throw new RmkError(
      'RMK_ERR_ADDRESS',
      `${bytes} bytes at 0x${address.toString(16)} do not lie in the RAM of VM ${JSON.stringify(this.vm)} (${ram.join(' and ')})`,
    );
  }
}
