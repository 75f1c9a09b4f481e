import { RAM_BASE } from '../memory/guestMemory.js';
import type { ElfImage } from './elf.js';
import { refusal } from './refusal.js';

/** Bytes of the header of Linux's `Image` (Documentation/riscv/boot-image-header.rst). */
const HEADER_BYTES = 64;
const MAGIC_AT = 0x38;
/** `RSC\x05`, little-endian. */
const MAGIC = 0x0543_5352;
const FLAG_BIG_ENDIAN = 1;

/** Whether the file is a raw RISC-V kernel, as Linux's build leaves it in `arch/riscv/boot/Image`. */
export function isKernelImage(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_BYTES && viewOf(bytes).getUint32(MAGIC_AT, true) === MAGIC;
}

/**
 * Reads a raw kernel: its bytes go to RAM as they are, at the offset that its header names, and it is entered at their
 * beginning. It has no symbols.
 *
 * @throws RmkError `RMK_ERR_ELF` that says what is wrong with the file.
 */
export function parseKernelImage(bytes: Uint8Array, source: string): ElfImage {
  const view = viewOf(bytes);
  if ((view.getUint32(24, true) & FLAG_BIG_ENDIAN) !== 0) {
    throw refusal(source, 'it is a big-endian kernel, and the hart is little-endian');
  }
  const offset = quad(view, 8);
  const memoryBytes = Math.max(quad(view, 16), bytes.length);
  const entry = RAM_BASE + offset;
  if (offset % 2 !== 0 || entry + memoryBytes > 2 ** 32) {
    throw refusal(
      source,
      `its header asks for ${memoryBytes} bytes at offset ${offset} of RAM, which a 32-bit hart does not reach; ` +
        'build the kernel for RV32 without an MMU',
    );
  }
  const segment = { address: entry, data: bytes, memoryBytes, headerBytes: 0 };
  return { source, format: 'kernel-image', entry, segments: [segment], symbols: new Map() };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function quad(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
