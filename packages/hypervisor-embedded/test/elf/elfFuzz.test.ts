import { hasCode } from '@rmk/core';
import { GUESTS, readGuest, type GuestName } from '@rmk/guests';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseElf, type ElfImage } from '../../src/elf/elf.js';
import { EmbeddedHypervisor } from '../../src/embeddedHypervisor.js';
import { assembledElf, exits } from '../guestFixtures.js';

const HEADER = 52;
const PROGRAM_HEADER = 32;
const SECTION_HEADER = 40;
const SYMBOL = 16;
const PAGE = 4096;
const MOMENT_NS = 100_000;

const SMALL = assembledElf(exits(0, 20));
const REAL: readonly Uint8Array[] = (Object.keys(GUESTS) as GuestName[]).map((name) => readGuest(name));
const FILES = [SMALL, ...REAL];

const anyFile = fc.constantFrom(...FILES);
const anyWord = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 1, 2, 3, 0x34, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff),
);

type Bytes = Uint8Array<ArrayBuffer>;

/** What is done to a file. Positions are fractions, so that they shrink alike for files of all lengths. */
type Damage = (bytes: Bytes) => Bytes;

const fraction = fc.integer({ min: 0, max: 0xffff }).map((value) => value / 0x1_0000);

/** Offsets of the file that say where other things lie: header, program headers, section headers, symbols. */
function tables(bytes: Uint8Array): readonly { readonly at: number; readonly bytes: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER) return [{ at: 0, bytes: bytes.length }];
  const program = { at: view.getUint32(28, true), bytes: view.getUint16(44, true) * PROGRAM_HEADER };
  const section = { at: view.getUint32(32, true), bytes: view.getUint16(48, true) * SECTION_HEADER };
  return [{ at: 0, bytes: HEADER }, program, section].filter(
    (table) => table.bytes > 0 && table.at + table.bytes <= bytes.length,
  );
}

/** A place in one of the tables, or anywhere. */
const place = fc.tuple(fc.nat(3), fraction).map(([which, how]) => (bytes: Uint8Array): number => {
  const { at, bytes: length } = tables(bytes)[which] ?? { at: 0, bytes: bytes.length };
  return at + Math.floor(how * length);
});

const flip: fc.Arbitrary<Damage> = fc.tuple(place, fc.nat(7)).map(([where, bit]) => (bytes) => {
  const at = where(bytes);
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  return bytes;
});
const overwrite: fc.Arbitrary<Damage> = fc.tuple(place, anyWord).map(([where, value]) => (bytes) => {
  const at = where(bytes) & ~3;
  if (at + 4 <= bytes.length) new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true);
  return bytes;
});
const truncate = fraction.map(
  (how): Damage =>
    (bytes) =>
      bytes.slice(0, Math.floor(how * bytes.length)),
);
const extend = fc.uint8Array({ maxLength: 64 }).map(
  (more): Damage =>
    (bytes) =>
      Uint8Array.from([...bytes, ...more]),
);
/** A table of another file in place of one of its own. */
const splice: fc.Arbitrary<Damage> = fc
  .tuple(anyFile, fc.nat(2), fc.nat(2))
  .map(([other, from, to]) => (bytes) => {
    const [source, target] = [tables(other)[from], tables(bytes)[to]];
    if (source === undefined || target === undefined) return bytes;
    const taken = other.subarray(source.at, source.at + source.bytes);
    bytes.set(taken.subarray(0, bytes.length - target.at), target.at);
    return bytes;
  });

const damaged = fc
  .tuple(
    anyFile,
    fc.array(
      fc.oneof({ weight: 4, arbitrary: flip }, { weight: 4, arbitrary: overwrite }, splice, truncate, extend),
      {
        minLength: 1,
        maxLength: 5,
      },
    ),
  )
  .map(([bytes, damages]) =>
    damages.reduce<Bytes>((result, damage) => damage(result), Uint8Array.from(bytes)),
  );

/** Mostly still executables: a few bits of the contents are wrong. */
const slightlyDamaged = fc
  .tuple(anyFile, fc.array(fc.tuple(fraction, fc.nat(7)), { minLength: 1, maxLength: 20 }))
  .map(([bytes, flips]) => {
    const result = Uint8Array.from(bytes);
    for (const [how, bit] of flips) {
      const at = Math.floor(how * bytes.length);
      result[at] = (result[at] ?? 0) ^ (1 << bit);
    }
    return result;
  });

/** Random bytes, some of them behind a header that is taken for one. */
const noise: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 400, size: 'max' }),
  fc.uint8Array({ minLength: HEADER, maxLength: 600, size: 'max' }).map((bytes) => {
    bytes.set(SMALL.subarray(0, 24));
    return bytes;
  }),
  fc.uint8Array({ minLength: 2 * HEADER, maxLength: 600, size: 'max' }).map((bytes) => {
    bytes.set(SMALL.subarray(0, HEADER));
    return bytes;
  }),
);

/** The image, or the error that refuses the file. Anything else that is thrown is a defect. */
function outcomeOf(bytes: Uint8Array): ElfImage | string {
  try {
    return parseElf(bytes, 'fuzzed.elf');
  } catch (error) {
    if (hasCode(error, 'RMK_ERR_ELF')) return error.message;
    throw error;
  }
}

/** The same bytes in the midst of others. */
function surroundedBy(byte: number, bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length + 2 * PAGE).fill(byte);
  whole.set(bytes, PAGE);
  return whole.subarray(PAGE, PAGE + bytes.length);
}

/** What an image says, without the buffer that it lies in. */
function contentsOf(outcome: ElfImage | string): unknown {
  if (typeof outcome === 'string') return outcome;
  const { entry, segments, symbols } = outcome;
  const copies = segments.map(({ address, data, memoryBytes }) => [
    address,
    memoryBytes,
    Buffer.from(data).toString('latin1'),
  ]);
  return { entry, copies, symbols: [...symbols] };
}

function checkWithin(image: ElfImage, bytes: Uint8Array): void {
  for (const { address, data, memoryBytes } of image.segments) {
    expect(data.buffer).toBe(bytes.buffer);
    expect(data.byteOffset).toBeGreaterThanOrEqual(bytes.byteOffset);
    expect(data.byteOffset + data.length).toBeLessThanOrEqual(bytes.byteOffset + bytes.length);
    expect(memoryBytes).toBeGreaterThanOrEqual(data.length);
    expect(address + memoryBytes).toBeLessThanOrEqual(2 ** 32);
  }
  expect(image.segments.length * PROGRAM_HEADER).toBeLessThanOrEqual(bytes.length);
  expect(image.symbols.size * SYMBOL).toBeLessThanOrEqual(bytes.length);
  const names = [...image.symbols.keys()].reduce((sum, name) => sum + name.length, 0);
  expect(names).toBeLessThanOrEqual(bytes.length);
}

async function runForAMoment(elf: Uint8Array): Promise<'refused' | 'run'> {
  const hypervisor = new EmbeddedHypervisor();
  try {
    const machine = hypervisor.createMachine({ name: 'fuzzed', elf, memoryBytes: 8 << 20, logPages: 4 });
    await machine.checkpoint({ preSave: 'none' });
    await hypervisor.run({ untilNs: MOMENT_NS });
    expect(machine.guestNs).toBeLessThanOrEqual(MOMENT_NS);
    if (machine.guestNs < MOMENT_NS) expect(machine.isRunnable).toBe(false);
    return 'run';
  } catch (error) {
    expect(error).toMatchObject({ name: 'RmkError', code: 'RMK_ERR_ELF' });
    return 'refused';
  } finally {
    await hypervisor.close();
  }
}

describe('any bytes at all', () => {
  it.each([
    ['noise', noise, 3000],
    ['damaged files', damaged, 3000],
  ] as const)('are an image or refused with an error of ours: %s', (_, bytes, numRuns) => {
    fc.assert(
      fc.property(bytes, (file) => {
        const outcome = outcomeOf(file);
        if (typeof outcome !== 'string') checkWithin(outcome, file);
      }),
      { numRuns },
    );
  });

  it.each([
    ['noise', noise],
    ['damaged files', damaged],
  ] as const)('are read, and nothing beside them: %s', (_, bytes) => {
    fc.assert(
      fc.property(bytes, (file) => {
        const [zeros, ones] = [surroundedBy(0, file), surroundedBy(0xff, file)].map(outcomeOf);
        expect(contentsOf(ones ?? '')).toEqual(contentsOf(zeros ?? ''));
      }),
      { numRuns: 500 },
    );
  });

  it('that were taken run as a guest does: to the end of their time, or of themselves', async () => {
    const outcomes = { refused: 0, run: 0 };
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, slightlyDamaged), async (bytes) => {
        outcomes[await runForAMoment(bytes)] += 1;
      }),
      { numRuns: 300 },
    );
    expect(Math.min(outcomes.refused, outcomes.run)).toBeGreaterThan(20);
  });
});
