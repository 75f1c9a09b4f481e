import { Assembler } from './assembler.js';

const RAM = 0x8000_0000;
const HEADER_WORDS = 16;

export interface KernelOptions {
  readonly textOffset?: number;
  /** RAM that it uses, from its beginning on. */
  readonly imageBytes?: number;
  readonly flags?: number;
}

/**
 * A raw kernel `Image` that puts out the device tree that it finds by a1, with the hart's number in front, and switches
 * itself off. It is written after Documentation/riscv/boot-image-header.rst.
 */
export function treeDumper({ textOffset = 0, imageBytes = 4096, flags = 0 }: KernelOptions = {}): Uint8Array {
  const code = new Assembler(RAM + textOffset);
  code.jump('start');
  while (code.here < code.origin + 4 * HEADER_WORDS) code.word(0);
  code
    .label('start')
    .li('s0', 0x1000_0000)
    .store('sb', 'a0', 's0')
    // The total size, big-endian, in the second word.
    .load('lbu', 't0', 'a1', 6)
    .load('lbu', 't1', 'a1', 7)
    .shift('slli', 't0', 't0', 8)
    .op('add', 't0', 't0', 't1')
    .op('add', 't0', 't0', 'a1')
    .label('next')
    .load('lbu', 't1', 'a1')
    .store('sb', 't1', 's0')
    .addi('a1', 'a1', 1)
    .branch('bltu', 'a1', 't0', 'next')
    .li('s0', 0x0010_0000)
    .li('t0', 0x5555)
    .store('sw', 't0', 's0')
    .label('end')
    .jump('end');
  const image = code.bytes().slice();
  const view = new DataView(image.buffer);
  view.setBigUint64(8, BigInt(textOffset), true);
  view.setBigUint64(16, BigInt(imageBytes), true);
  view.setBigUint64(24, BigInt(flags), true);
  view.setUint32(32, 2, true); // version 0.2 of the header
  image.set(new TextEncoder().encode('RISCV'), 0x30);
  image.set([...new TextEncoder().encode('RSC'), 5], 0x38);
  return image;
}
