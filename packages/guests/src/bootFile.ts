import { RmkError } from '@rmk/core';

/** Where the compressor looks for its file (`guest/runtime/board.h`). */
export const BOOT_FILE_ADDRESS = 0x8100_0000;
export const BOOT_FILE_MAX_BYTES = 4 * 1024 * 1024;

const MAGIC = new TextEncoder().encode('RMKF');
const HEADER_BYTES = MAGIC.length + Uint32Array.BYTES_PER_ELEMENT;

/** Bytes to be put into guest-physical memory before boot. */
export interface BootFile {
  readonly address: number;
  readonly data: Uint8Array;
}

/**
 * Lays a file out for the compressor: the magic bytes `RMKF`, its length (32 bits, little-endian), its contents.
 * `source` names the file in errors: `RMK_ERR_INPUT` for an empty one and for one of more than 4 MiB.
 */
export function bootFile(data: Uint8Array, source: string): BootFile {
  if (data.length === 0) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `${source}: the file is empty; give the compressor one with contents`,
    );
  }
  if (data.length > BOOT_FILE_MAX_BYTES) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `${source}: the file has ${data.length} bytes; give the compressor one of at most ${BOOT_FILE_MAX_BYTES}`,
    );
  }
  const laidOut = new Uint8Array(HEADER_BYTES + data.length);
  laidOut.set(MAGIC);
  new DataView(laidOut.buffer).setUint32(MAGIC.length, data.length, true);
  laidOut.set(data, HEADER_BYTES);
  return { address: BOOT_FILE_ADDRESS, data: laidOut };
}
