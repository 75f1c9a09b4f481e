import { hasCode, RmkError } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitToRam, parseElf, type ElfImage } from '../../src/elf/elf.js';

interface Segment {
  readonly type?: number;
  readonly address: number;
  readonly data: readonly number[];
  readonly memoryBytes?: number;
}

interface ElfSymbol {
  readonly name: string;
  readonly value: number;
  readonly kind?: number;
  readonly section?: number;
}

const HEADER = 52;
const PROGRAM_HEADER = 32;
const SECTION_HEADER = 40;
const SYMBOL = 16;
const CODE = [0x13, 0, 0, 0, 0x73, 0, 0x10, 0];
const RAM = 0x8000_0000;

/** An ELF file written after the specification: header, program headers, data, symbols, names, section headers. */
function elf(options: { entry?: number; segments?: Segment[]; symbols?: ElfSymbol[] } = {}): Uint8Array {
  const { entry = RAM, segments = [{ address: RAM, data: CODE }], symbols = [] } = options;
  const names = [0, ...symbols.flatMap(({ name }) => [...new TextEncoder().encode(name), 0])];
  const dataBytes = segments.reduce((sum, { data }) => sum + data.length, 0);
  const dataAt = HEADER + segments.length * PROGRAM_HEADER;
  const symbolsAt = dataAt + dataBytes;
  const symbolBytes = (symbols.length + 1) * SYMBOL;
  const sectionsAt = symbolsAt + symbolBytes + names.length;
  const bytes = new Uint8Array(symbols.length === 0 ? symbolsAt : sectionsAt + 3 * SECTION_HEADER);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, entry, true);
  view.setUint32(28, HEADER, true);
  view.setUint16(40, HEADER, true);
  view.setUint16(42, PROGRAM_HEADER, true);
  view.setUint16(44, segments.length, true);
  let offset = dataAt;
  segments.forEach(({ type = 1, address, data, memoryBytes = data.length }, index) => {
    const at = HEADER + index * PROGRAM_HEADER;
    [type, offset, address ^ 0x4000_0000, address, data.length, memoryBytes].forEach((field, position) =>
      view.setUint32(at + 4 * position, field, true),
    );
    bytes.set(data, offset);
    offset += data.length;
  });
  if (symbols.length === 0) return bytes;
  let nameAt = 1;
  symbols.forEach(({ name, value, kind = 0x12, section = 1 }, index) => {
    const at = symbolsAt + (index + 1) * SYMBOL;
    view.setUint32(at, nameAt, true);
    view.setUint32(at + 4, value, true);
    view.setUint8(at + 12, kind);
    view.setUint16(at + 14, section, true);
    nameAt += new TextEncoder().encode(name).length + 1;
  });
  bytes.set(names, symbolsAt + symbolBytes);
  view.setUint32(32, sectionsAt, true);
  view.setUint16(46, SECTION_HEADER, true);
  view.setUint16(48, 3, true);
  const section = (index: number, type: number, at: number, length: number, link: number): void => {
    const header = sectionsAt + index * SECTION_HEADER;
    view.setUint32(header + 4, type, true);
    view.setUint32(header + 16, at, true);
    view.setUint32(header + 20, length, true);
    view.setUint32(header + 24, link, true);
  };
  section(1, 2, symbolsAt, symbolBytes, 2);
  section(2, 3, symbolsAt + symbolBytes, names.length, 0);
  return bytes;
}

/** The file with some bytes overwritten. */
function patched(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

const word = (value: number): number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  value >>> 24,
];

describe('parseElf', () => {
  it('gives entry, segments by physical address, and symbols', () => {
    const bytes = elf({
      entry: RAM + 4,
      segments: [
        { address: RAM, data: CODE },
        { address: RAM + 0x1000, data: [1, 2, 3], memoryBytes: 100 },
        { address: RAM + 0x2000, data: [], memoryBytes: 64 },
        { address: 0x1234, data: [], memoryBytes: 0 },
        { type: 4, address: 0, data: [9, 9] },
        { type: 0x70000003, address: 0, data: [9] },
      ],
      symbols: [
        { name: 'main', value: RAM + 4 },
        { name: 'größe', value: 7, kind: 0x11 },
      ],
    });
    const image = parseElf(bytes, 'guest.elf');
    expect(image.source).toBe('guest.elf');
    expect(image.entry).toBe(RAM + 4);
    expect(image.segments.map(({ address, data, memoryBytes }) => [address, [...data], memoryBytes])).toEqual(
      [
        [RAM, CODE, 8],
        [RAM + 0x1000, [1, 2, 3], 100],
        [RAM + 0x2000, [], 64],
      ],
    );
    expect([...image.symbols]).toEqual([
      ['main', RAM + 4],
      ['größe', 7],
    ]);
    // Views, not copies: nothing is allocated for contents.
    expect(image.segments[0]?.data.buffer).toBe(bytes.buffer);
  });

  it('reads a file that lies somewhere in a larger buffer', () => {
    const bytes = elf({ symbols: [{ name: 'start', value: RAM }] });
    const larger = new Uint8Array(bytes.length + 20).fill(0xee);
    larger.set(bytes, 7);
    const image = parseElf(larger.subarray(7, 7 + bytes.length), 'guest.elf');
    expect([...(image.segments[0]?.data ?? [])]).toEqual(CODE);
    expect(image.symbols.get('start')).toBe(RAM);
  });

  it('counts no headers in a segment that begins behind them', () => {
    expect(parseElf(elf(), 'app').segments[0]?.headerBytes).toBe(0);
  });

  it('has no symbols where the file has section headers at no place, or none of them', () => {
    const bytes = elf({ symbols: [{ name: 'main', value: RAM }] });
    for (const [at, width] of [
      [32, 4],
      [48, 2],
    ] as const) {
      const without = bytes.slice().fill(0, at, at + width);
      expect(parseElf(without, 'app').symbols.size).toBe(0);
    }
  });

  it('names the missing segments of a file without program headers, whose size it need not give', () => {
    const bytes = elf();
    const view = new DataView(bytes.buffer);
    view.setUint16(42, 0, true);
    view.setUint16(44, 0, true);
    expect(() => parseElf(bytes, 'app')).toThrow(/it has no segment to load/);
  });

  it('has no symbols of a stripped file', () => {
    expect(parseElf(elf(), 'guest.elf').symbols.size).toBe(0);
  });

  it('prefers global symbols, and leaves out files, sections, undefined ones and the assembler’s marks', () => {
    const image = parseElf(
      elf({
        symbols: [
          { name: 'counter', value: 1, kind: 0x01 },
          { name: 'counter', value: 2, kind: 0x01 },
          { name: 'main', value: 3, kind: 0x02 },
          { name: 'main', value: 4, kind: 0x12 },
          { name: 'main', value: 5, kind: 0x02 },
          { name: 'main', value: 6, kind: 0x22 },
          { name: 'main.c', value: 7, kind: 0x04 },
          { name: '.text', value: 8, kind: 0x03 },
          { name: 'missing', value: 0, kind: 0x10, section: 0 },
          { name: '$xrv32i2p1', value: 9, kind: 0x00 },
          { name: '', value: 9 },
          { name: 'stack_top', value: 0x8010_0000, kind: 0x10, section: 0xfff1 },
        ],
      }),
      'guest.elf',
    );
    expect([...image.symbols]).toEqual([
      ['counter', 1],
      ['main', 4],
      ['stack_top', 0x8010_0000],
    ]);
  });
});

describe('parseElf refuses', () => {
  const one: Segment = { address: RAM, data: CODE };
  const symbolic = elf({ symbols: [{ name: 'a', value: 1 }] });
  const sections = symbolic.length - 3 * SECTION_HEADER;
  const table = sections + SECTION_HEADER;
  const firstSymbol = HEADER + PROGRAM_HEADER + CODE.length + SYMBOL;
  const refusals: [what: string, bytes: Uint8Array, message: RegExp][] = [
    ['an empty file', new Uint8Array(0), /neither an ELF file nor a RISC-V kernel Image; compile and link/],
    [
      'a text',
      new TextEncoder().encode('#!/bin/sh\necho hello, hello, hello, hello, hello, hello\n'),
      /neither an ELF file/,
    ],
    ['half a header', elf().subarray(0, 30), /truncated: an ELF header has 52 bytes, the file 30/],
    [
      'a 64-bit file',
      patched(elf(), 4, 2),
      /32-bit class; compile with -misa-spec=2\.2 -march=rv32imac -mabi=ilp32$/,
    ],
    ['a big-endian file', patched(elf(), 5, 2), /little-endian/],
    ['an unknown version', patched(elf(), 6, 0), /version is not 1/],
    ['another unknown version', patched(elf(), 20, 2), /version is not 1/],
    ['an x86-64 file', patched(elf(), 18, 62), /for machine 62, not RISC-V/],
    ['an object file', patched(elf(), 16, 1), /relocatable object; link it/],
    ['a shared object', patched(elf(), 16, 3), /position-independent object; link it with -static -no-pie/],
    ['a core dump', patched(elf(), 16, 4), /core dump/],
    ['a file of no known type', patched(elf(), 16, 9), /unknown type 9/],
    ['the single-float ABI', patched(elf(), 36, 2), /single-float ABI.*-mabi=ilp32/],
    ['the double-float ABI', patched(elf(), 36, 4), /double-float ABI.*-mabi=ilp32/],
    [
      'program headers of another size',
      patched(elf(), 42, 56),
      /program headers have 56 bytes instead of 32/,
    ],
    [
      'program headers behind the end',
      patched(elf(), 28, ...word(0xffff_fff0)),
      /1 program headers at offset 4294967280/,
    ],
    [
      'very many program headers',
      patched(elf(), 44, 0xfe, 0xff),
      /65534 program headers at offset 52 do not fit/,
    ],
    [
      'a count of program headers that says it is elsewhere',
      patched(elf(), 44, 0xff, 0xff),
      /65535 program headers/,
    ],
    ['no program headers', patched(elf(), 44, 0, 0), /no segment to load/],
    [
      'no segments to load',
      elf({ segments: [{ ...one, type: 4 }] }),
      /no segment to load.*RAM at 0x80000000/,
    ],
    ['only empty segments', elf({ segments: [{ address: RAM, data: [] }] }), /no segment to load/],
    [
      'an interpreter',
      elf({ segments: [one, { type: 3, address: 0, data: [0x2f] }] }),
      /dynamically linked.*-static/,
    ],
    ['dynamic linking', elf({ segments: [one, { type: 2, address: 0, data: [0] }] }), /dynamically linked/],
    [
      'less memory than data',
      elf({ segments: [{ ...one, memoryBytes: 7 }] }),
      /asks for 7 bytes of memory for 8 bytes/,
    ],
    [
      'a segment cut short',
      elf().subarray(0, -1),
      /truncated: program header 0 wants 8 bytes from offset 84, the file has 91/,
    ],
    [
      'data far behind the end',
      patched(elf(), HEADER + 4, ...word(0xffff_fffc)),
      /wants 8 bytes from offset 4294967292/,
    ],
    [
      'memory past the address space',
      elf({ segments: [one, { address: 0xffff_fff8, data: [1], memoryBytes: 9 }] }),
      /past the end/,
    ],
    [
      'segments one over the other',
      elf({ segments: [{ address: RAM + 4, data: [1] }, one] }),
      /0x80000000 to 0x80000007 and .* overlap/,
    ],
    ['a misaligned entry', elf({ entry: RAM + 1 }), /entry point 0x80000001 is not a multiple of 2/],
    [
      'an entry elsewhere',
      elf({ entry: 0x1000 }),
      /entry point 0x00001000 lies in none of its loaded segments/,
    ],
    [
      'an entry among zeros',
      elf({ entry: RAM + 8, segments: [{ ...one, memoryBytes: 64 }] }),
      /lies in none/,
    ],
    [
      'section headers of another size',
      patched(symbolic, 46, 64),
      /section headers have 64 bytes instead of 40/,
    ],
    ['section headers cut off', symbolic.subarray(0, -1), /truncated or damaged: 3 section headers/],
    [
      'symbols behind the end',
      patched(symbolic, table + 16, ...word(0xffff_ff00)),
      /symbol table is damaged/,
    ],
    [
      'very many symbols',
      patched(symbolic, table + 20, ...word(0xffff_fff0)),
      /4294967280 bytes at offset \d+ are wanted/,
    ],
    ['names in no section', patched(symbolic, table + 24, 9), /section 9 of 3/],
    [
      'names behind the end',
      patched(symbolic, table + SECTION_HEADER + 20, ...word(0x1000_0000)),
      /268435456 bytes/,
    ],
    ['a name behind the names', patched(symbolic, firstSymbol, 3), /lies outside the names/],
    ['a name without an end', patched(symbolic, sections - 1, 0x61), /has no end/],
  ];

  it.each(refusals)('%s', (_, bytes, message) => {
    let thrown: unknown;
    try {
      parseElf(bytes, 'some/guest.elf');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(RmkError);
    if (!hasCode(thrown)) return;
    expect(thrown.code).toBe('RMK_ERR_ELF');
    expect(thrown.message).toMatch(/^RMK_ERR_ELF: 'some\/guest\.elf' cannot be run: /);
    expect(thrown.message).toMatch(message);
  });

  it('symbols that all name one very long text', () => {
    const symbols = Array.from({ length: 50 }, (_, index) => ({
      name: index === 0 ? 'x'.repeat(5000) : 'y',
      value: 0,
    }));
    const bytes = elf({ symbols });
    const view = new DataView(bytes.buffer);
    for (let index = 1; index <= 50; index += 1) {
      view.setUint32(HEADER + PROGRAM_HEADER + CODE.length + index * SYMBOL, 1 + index, true);
    }
    expect(() => parseElf(bytes, 'guest.elf')).toThrow(/names together are longer than the file/);
  });

  it('any file cut short or altered with an error of ours, or takes it within its bounds', () => {
    const good = elf({
      segments: [
        { address: RAM, data: CODE },
        { address: RAM + 0x1000, data: [1, 2], memoryBytes: 9 },
      ],
      symbols: [
        { name: 'main', value: RAM },
        { name: 'end', value: RAM + 8 },
      ],
    });
    for (let length = 0; length < good.length; length += 1) {
      expect(() => parseElf(good.subarray(0, length), 'guest.elf')).toThrow(RmkError);
    }
    const change = fc.tuple(
      fc.nat(good.length - 1),
      fc.oneof(fc.nat(255), fc.constantFrom(0, 255, 127, 128)),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        let image: ElfImage;
        try {
          image = parseElf(bytes, 'guest.elf');
        } catch (error) {
          expect(error).toBeInstanceOf(RmkError);
          return;
        }
        expect(image.entry % 4).toBe(0);
        for (const { address, data, memoryBytes } of image.segments) {
          expect(data.length <= memoryBytes && address + memoryBytes <= 2 ** 32).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('fitToRam', () => {
  const at = (address: number, memoryBytes: number): ElfImage => ({
    source: 'guest.elf',
    format: 'elf',
    entry: RAM,
    segments: [
      { address: RAM, data: Uint8Array.from(CODE), memoryBytes: 8, headerBytes: 0 },
      { address, data: new Uint8Array(0), memoryBytes, headerBytes: 0 },
    ],
    symbols: new Map(),
  });

  it('takes what fits to the last byte', () => {
    expect(fitToRam(at(RAM + 0x1000, 0xf000), RAM, 0x10000).segments).toHaveLength(2);
  });

  it.each([
    ['one byte too long', RAM + 0x1000, 0xf001],
    ['before RAM', RAM - 4, 8],
    ['behind RAM', RAM + 0x10000, 1],
    ['in flash', 0x2000_0000, 64],
  ])('refuses what is %s', (_, address, bytes) => {
    expect(() => fitToRam(at(address, bytes), RAM, 0x10000)).toThrow(
      /^RMK_ERR_ELF: 'guest\.elf' cannot be run: its segment at 0x[0-9a-f]{8} to 0x[0-9a-f]{8} lies outside the guest's RAM, 0x80000000 to 0x8000ffff; link it into RAM, or give the guest more memory$/,
    );
  });

  /** As `gcc -nostdlib -Ttext=0x80000000` links it: headers, and what fills their page, right below RAM. */
  const headersBelow = (filler = 0): Uint8Array => {
    const fill = Array.from({ length: 0x1000 - HEADER - PROGRAM_HEADER }, () => filler);
    const file = elf({ segments: [{ address: RAM, data: [...fill, ...CODE] }] });
    const header = [0, RAM - 0x1000, RAM - 0x1000, 0x1000 + CODE.length, 0x1000 + CODE.length];
    return patched(file, HEADER + 4, ...header.flatMap(word));
  };

  it('leaves out headers below RAM', () => {
    const { segments, entry } = fitToRam(parseElf(headersBelow(), 'guest.elf'), RAM, 0x10000);
    expect(segments.map(({ address, data, memoryBytes }) => [address, [...data], memoryBytes])).toEqual([
      [RAM, CODE, CODE.length],
    ]);
    expect(entry).toBe(RAM);
  });

  it('leaves out a segment of nothing but headers', () => {
    const file = elf({
      segments: [
        { address: RAM, data: CODE },
        { address: RAM - 0x1000, data: [] },
      ],
    });
    const header = [0, RAM - 0x1000, RAM - 0x1000, 0x74, 0x74];
    const image = parseElf(patched(file, HEADER + PROGRAM_HEADER + 4, ...header.flatMap(word)), 'guest.elf');
    expect(image.segments).toHaveLength(2);
    expect(fitToRam(image, RAM, 0x10000).segments).toHaveLength(1);
  });

  it('refuses anything but headers below RAM', () => {
    expect(() => fitToRam(parseElf(headersBelow(1), 'guest.elf'), RAM, 0x10000)).toThrow(
      /its segment at 0x7ffff000 to 0x80000007 lies outside the guest's RAM/,
    );
  });

  it('refuses an entry among the headers that are left out', () => {
    const file = patched(headersBelow(), 24, ...word(RAM - 8));
    expect(() => fitToRam(parseElf(file, 'guest.elf'), RAM, 0x10000)).toThrow(
      /entry point 0x7ffffff8 lies in none/,
    );
  });
});
