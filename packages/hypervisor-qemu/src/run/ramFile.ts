import { open, type FileHandle } from 'node:fs/promises';
import { RmkError } from '@rmk/core';
import type { MemoryMap } from './memoryMap.js';

/** Of a PC: the range between the legacy video memory and the end of the first MiB. */
const FIRMWARE = { begin: 0xc_0000, end: 0x10_0000 };
const ZEROS = new Uint8Array(1 << 20);

/** The file behind a VM's RAM. Page frame n lies at n × 4096; where the guest sees it, {@link MemoryMap} says. */
export class RamFile {
  private constructor(
    private readonly vm: string,
    private readonly file: FileHandle,
    private readonly map: MemoryMap,
    readonly bytes: number,
  ) {}

  static async open(vm: string, path: string, map: MemoryMap, bytes: number): Promise<RamFile> {
    return new RamFile(vm, await open(path, 'r+'), map, bytes);
  }

  async read(address: number, bytes: number): Promise<Uint8Array> {
    const offset = this.map.offsetOf(address, bytes);
    const data = new Uint8Array(bytes);
    const { bytesRead } = await this.file.read(data, 0, bytes, offset);
    if (bytesRead === bytes) return data;
    throw new RmkError('RMK_ERR_HYPERVISOR', `the RAM file of VM ${JSON.stringify(this.vm)} is too short`);
  }

  /**
   * Zeroes RAM, except the range where the firmware has copied itself and the option ROMs: this chipset goes on showing
   * the copies after a reset, and the firmware renews them from its ROM.
   */
  async clear(): Promise<void> {
    await this.zero(0, FIRMWARE.begin);
    await this.zero(FIRMWARE.end, this.bytes);
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async zero(begin: number, end: number): Promise<void> {
    for (let at = begin; at < end; at += ZEROS.length) {
      await this.file.write(ZEROS, 0, Math.min(ZEROS.length, end - at), at);
    }
  }
}
