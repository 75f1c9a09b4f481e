import type { RigGuest } from '@rmk/testing';

const RAM = 0x8000_0000;
const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const CYCLES_PER_MS = 100_000;
const CYCLES_PER_ROUND = 3;

/** A guest whose own code crashes after so many milliseconds of guest time, in every life and after every rollback. */
export function crashingGuest(afterMs: number): RigGuest {
  const rounds = Math.floor((afterMs * CYCLES_PER_MS) / CYCLES_PER_ROUND);
  const low = (rounds << 20) >> 20;
  return tinyGuest('crashing', [
    0x8000_1337, // lui t1, 0x80001: a page to write to
    ((rounds - low) & 0xffff_f000) | 0x2b7, // lui t0, rounds
    ((low & 0xfff) << 20) | 0x2_8293, // addi t0, t0, rounds
    0xfff2_8293, // round: addi t0, t0, -1
    0x0053_2023, // sw t0, (t1)
    0xfe02_9ce3, // bnez t0, round
    0, // illegal
  ]);
}

/** A machine whose memory holds nothing but these instructions, from where it starts. */
export function tinyGuest(name: string, instructions: readonly number[]): RigGuest {
  return { machine: { name, elf: elf(instructions), memoryBytes: 1 << 20 } };
}

/** The smallest ELF file that can be run: one header, one segment, no symbols. */
function elf(instructions: readonly number[]): Uint8Array {
  const start = HEADER_BYTES + PROGRAM_HEADER_BYTES;
  const bytes = 4 * instructions.length;
  const file = new Uint8Array(start + bytes);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]); // 32 bits, little-endian
  view.setUint16(16, 2, true); // executable
  view.setUint16(18, 243, true); // RISC-V
  view.setUint32(20, 1, true);
  view.setUint32(24, RAM, true);
  view.setUint32(28, HEADER_BYTES, true);
  view.setUint16(40, HEADER_BYTES, true);
  view.setUint16(42, PROGRAM_HEADER_BYTES, true);
  view.setUint16(44, 1, true);
  const segment = [1, start, RAM, RAM, bytes, bytes, 7, 4096]; // loaded, readable, writable, executable
  segment.forEach((field, index) => view.setUint32(HEADER_BYTES + 4 * index, field, true));
  instructions.forEach((word, index) => view.setUint32(start + 4 * index, word, true));
  return file;
}
