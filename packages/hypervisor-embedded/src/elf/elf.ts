import type { RmkError } from '@rmk/core';
import { refusal } from './refusal.js';
import { readElfSymbols } from './elfSymbols.js';

/** Bytes of the file that go to guest memory, followed by zeros up to `memoryBytes`. */
export interface ElfSegment {
  /** Guest-physical. */
  readonly address: number;
  /** A view into the file. */
  readonly data: Uint8Array;
  /** At least the length of `data`. */
  readonly memoryBytes: number;
  /** Leading bytes of `data` that are the file's own headers, which a linker may place in front of the code. */
  readonly headerBytes: number;
}

/** What a guest is booted from, and where it goes. */
export interface ElfImage {
  /** What the errors call it. */
  readonly source: string;
  readonly format: 'elf' | 'kernel-image';
  readonly entry: number;
  readonly segments: readonly ElfSegment[];
  /** Address of each named symbol; empty for a stripped file. */
  readonly symbols: ReadonlyMap<string, number>;
}

const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;

const CLASS_32 = 1;
const LITTLE_ENDIAN = 1;
const CURRENT_VERSION = 1;
const EXECUTABLE = 2;
const RISCV = 243;
const FLAG_FLOAT_ABI = 0x6;
const FLOAT_ABIS = ['soft', 'single', 'double', 'quad'] as const;
/** A count of program headers that stands for "more than 16 bits can say". */
const COUNT_ELSEWHERE = 0xffff;

const SEGMENT_LOAD = 1;
const SEGMENT_DYNAMIC = 2;
const SEGMENT_INTERPRETER = 3;

/** The files that are no executables, by type: what they are and what to do. */
const OTHER_TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'a relocatable object; link it first'],
  [3, 'a shared or position-independent object; link it with -static -no-pie'],
  [4, 'a core dump; give the program itself'],
]);

/**
 * Reads an executable for the board: ELF for 32-bit little-endian RISC-V, statically linked, without a floating-point
 * ABI.
 *
 * @throws RmkError `RMK_ERR_ELF` that says what is wrong with the file and what is needed.
 */
export function parseElf(bytes: Uint8Array, source: string): ElfImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkHeader(view, source);
  const segments = readSegments(bytes, view, source);
  const entry = view.getUint32(24, true);
  checkEntry(entry, segments, source);
  return { source, format: 'elf', entry, segments, symbols: readElfSymbols(bytes, view, source) };
}

/**
 * The image as it lies in the guest's RAM, `bytes` from `base`. The linker may place the file's own headers in front of
 * the code, and so below RAM: those are left out, since no program for a bare machine reads them.
 *
 * @throws RmkError `RMK_ERR_ELF` if anything else lies outside RAM.
 */
export function fitToRam(image: ElfImage, base: number, bytes: number): ElfImage {
  const segments = image.segments.map((segment) => withoutHeadersBelow(segment, base));
  for (const { address, memoryBytes } of segments) {
    if (memoryBytes === 0 || (address >= base && address + memoryBytes <= base + bytes)) continue;
    throw refusal(
      image.source,
      `its segment at ${range(address, memoryBytes)} lies outside the guest's RAM, ${range(base, bytes)}; ` +
        'link it into RAM, or give the guest more memory',
    );
  }
  const kept = segments.filter(({ memoryBytes }) => memoryBytes > 0);
  checkEntry(image.entry, kept, image.source);
  return { ...image, segments: kept };
}

/** What is cut off must be headers, and the zeros that fill up their page. */
function withoutHeadersBelow(segment: ElfSegment, base: number): ElfSegment {
  const { address, data, memoryBytes, headerBytes } = segment;
  const below = Math.min(base - address, memoryBytes);
  if (below <= 0 || headerBytes === 0) return segment;
  if (data.subarray(headerBytes, below).some((byte) => byte !== 0)) return segment;
  return {
    address: address + below,
    data: data.subarray(below),
    memoryBytes: memoryBytes - below,
    headerBytes: Math.max(0, headerBytes - below),
  };
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}

function range(address: number, bytes: number): string {
  return `${hex(address)} to ${hex(address + bytes - 1)}`;
}

function checkHeader(view: DataView, source: string): void {
  const size = view.byteLength;
  // Magic numbers are read as one big-endian word, as they stand in the file.
  if (size < 4 || view.getUint32(0) !== 0x7f454c46) {
    throw refusal(
      source,
      'it is neither an ELF file nor a RISC-V kernel Image; compile and link the guest with a RISC-V toolchain',
    );
  }
  if (size < HEADER_BYTES) {
    throw refusal(source, `it is truncated: an ELF header has ${HEADER_BYTES} bytes, the file ${size}`);
  }
  if (view.getUint8(4) !== CLASS_32) {
    throw refusal(
      source,
      'it is not of the 32-bit class; compile with -misa-spec=2.2 -march=rv32imac -mabi=ilp32',
    );
  }
  if (view.getUint8(5) !== LITTLE_ENDIAN) throw refusal(source, 'it is not little-endian, as the hart is');
  if (view.getUint8(6) !== CURRENT_VERSION || view.getUint32(20, true) !== CURRENT_VERSION) {
    throw refusal(source, 'its ELF version is not 1, the only one there is; the file is damaged');
  }
  const machine = view.getUint16(18, true);
  if (machine !== RISCV) {
    throw refusal(
      source,
      `it is for machine ${machine}, not RISC-V (${RISCV}); compile with a RISC-V toolchain`,
    );
  }
  const type = view.getUint16(16, true);
  if (type !== EXECUTABLE) {
    throw refusal(
      source,
      `it is not an executable but ${OTHER_TYPES.get(type) ?? `of the unknown type ${type}`}`,
    );
  }
  const flags = view.getUint32(36, true);
  const floatAbi = FLOAT_ABIS[(flags & FLAG_FLOAT_ABI) >>> 1];
  if (floatAbi !== 'soft') {
    throw refusal(
      source,
      `it uses the ${floatAbi}-float ABI, and the hart has no floating point; compile with -mabi=ilp32`,
    );
  }
}

function readSegments(bytes: Uint8Array, view: DataView, source: string): ElfSegment[] {
  const at = view.getUint32(28, true);
  const count = view.getUint16(44, true);
  if (count === 0) throw nothingToLoad(source);
  const entryBytes = view.getUint16(42, true);
  if (entryBytes !== PROGRAM_HEADER_BYTES) {
    throw refusal(
      source,
      `its program headers have ${entryBytes} bytes instead of ${PROGRAM_HEADER_BYTES}; the file is damaged`,
    );
  }
  if (count === COUNT_ELSEWHERE || at + count * PROGRAM_HEADER_BYTES > bytes.length) {
    throw refusal(
      source,
      `it is truncated or damaged: ${count} program headers at offset ${at} do not fit in its ${bytes.length} bytes`,
    );
  }
  const segments: ElfSegment[] = [];
  for (let index = 0; index < count; index += 1) {
    const header = at + index * PROGRAM_HEADER_BYTES;
    const type = view.getUint32(header, true);
    if (type === SEGMENT_DYNAMIC || type === SEGMENT_INTERPRETER) {
      throw refusal(
        source,
        'it is dynamically linked, and the board has no loader; link it with -static -no-pie',
      );
    }
    if (type !== SEGMENT_LOAD) continue;
    const segment = readSegment(bytes, view, header, index, source);
    if (segment.memoryBytes > 0) segments.push(segment);
  }
  if (segments.length === 0) throw nothingToLoad(source);
  checkDisjoint(segments, source);
  return segments;
}

function readSegment(
  bytes: Uint8Array,
  view: DataView,
  header: number,
  index: number,
  source: string,
): ElfSegment {
  const offset = view.getUint32(header + 4, true);
  const address = view.getUint32(header + 12, true);
  const fileBytes = view.getUint32(header + 16, true);
  const memoryBytes = view.getUint32(header + 20, true);
  if (memoryBytes < fileBytes) {
    throw refusal(
      source,
      `program header ${index} asks for ${memoryBytes} bytes of memory for ${fileBytes} bytes of the file; the file is damaged`,
    );
  }
  if (offset + fileBytes > bytes.length) {
    throw refusal(
      source,
      `it is truncated: program header ${index} wants ${fileBytes} bytes from offset ${offset}, the file has ${bytes.length}`,
    );
  }
  if (address + memoryBytes > 2 ** 32) {
    throw refusal(
      source,
      `the ${memoryBytes} bytes of program header ${index} at ${hex(address)} run past the end of the address space; ` +
        'link it into RAM, which begins at 0x80000000',
    );
  }
  const headersEnd = view.getUint32(28, true) + view.getUint16(44, true) * PROGRAM_HEADER_BYTES;
  const headerBytes = offset === 0 ? Math.min(headersEnd, fileBytes) : 0;
  return { address, data: bytes.subarray(offset, offset + fileBytes), memoryBytes, headerBytes };
}

function checkDisjoint(segments: readonly ElfSegment[], source: string): void {
  const sorted = segments.toSorted((one, other) => one.address - other.address);
  let before: ElfSegment | undefined;
  for (const segment of sorted) {
    if (before !== undefined && before.address + before.memoryBytes > segment.address) {
      const both = `${range(before.address, before.memoryBytes)} and ${range(segment.address, segment.memoryBytes)}`;
      throw refusal(source, `its segments at ${both} overlap; fix its linker script`);
    }
    before = segment;
  }
}

function checkEntry(entry: number, segments: readonly ElfSegment[], source: string): void {
  if (entry % 2 !== 0) {
    throw refusal(source, `its entry point ${hex(entry)} is not a multiple of 2; fix its linker script`);
  }
  const loaded = segments.some(({ address, data }) => entry >= address && entry + 2 <= address + data.length);
  if (!loaded) {
    throw refusal(
      source,
      `its entry point ${hex(entry)} lies in none of its loaded segments; fix ENTRY in its linker script`,
    );
  }
}

function nothingToLoad(source: string): RmkError {
  return refusal(
    source,
    'it has no segment to load; link it with a linker script that places code in RAM at 0x80000000',
  );
}
