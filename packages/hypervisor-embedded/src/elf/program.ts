import { parseElf, type ElfImage } from './elf.js';
import { isKernelImage, parseKernelImage } from './kernelImage.js';

/**
 * Reads what a guest is booted from: an ELF executable, or a raw kernel `Image`.
 *
 * @throws RmkError `RMK_ERR_ELF` that says what is wrong with the file and what is needed.
 */
export function parseProgram(bytes: Uint8Array, source: string): ElfImage {
  return isKernelImage(bytes) ? parseKernelImage(bytes, source) : parseElf(bytes, source);
}
