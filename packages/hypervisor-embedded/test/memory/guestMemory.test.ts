import type { EpochPlan } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EmbeddedPageLog } from '../../src/memory/embeddedPageLog.js';
import { GuestMemory } from '../../src/memory/guestMemory.js';
import type { LogChain } from '../../src/memory/logArea.js';
import { LINE_SHIFT } from '../../src/memory/translatableMemory.js';
import { ascending, MemoryModel } from './memoryModel.js';

const PAGE = 4096;
const PAGES = 16;
const PLENTY = 512;

type Operation =
  | { readonly do: 'write'; readonly offset: number; readonly bytes: number }
  | { readonly do: 'discard'; readonly frame: number }
  | { readonly do: 'checkpoint'; readonly plan: EpochPlan; readonly retain: number }
  | { readonly do: 'rollback'; readonly back: number; readonly plan: EpochPlan };

const frame = fc.nat(PAGES - 1);
const frames = fc.array(frame, { maxLength: 5 }).map((list) => Uint32Array.from(list));
const plan: fc.Arbitrary<EpochPlan> = fc.oneof(
  fc.constant({ preSave: 'none' as const }),
  fc.constant({ preSave: 'updated' as const }),
  fc.record(
    {
      preSave: fc.constantFrom('none' as const, 'updated' as const),
      add: frames,
      drop: fc.array(fc.nat(2 * PAGES), { maxLength: 5 }).map((list) => Uint32Array.from(list)),
      clusterPages: fc.constantFrom(1, 2, 4, 8),
    },
    { requiredKeys: ['preSave'] },
  ),
);

const write: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant('write' as const),
  // Many writes lie across the border of two pages, a few across several.
  offset: fc.oneof(
    fc.nat(PAGES * PAGE - 1),
    fc.record({ border: frame, before: fc.nat(8) }).map(({ border, before }) => border * PAGE - before),
  ),
  bytes: fc.oneof({ weight: 8, arbitrary: fc.nat(16) }, { weight: 1, arbitrary: fc.nat(3 * PAGE) }),
});
const discard: fc.Arbitrary<Operation> = fc.record({ do: fc.constant('discard' as const), frame });
const checkpoint: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant('checkpoint' as const),
  plan,
  retain: fc.integer({ min: 1, max: 6 }),
});
const rollback: fc.Arbitrary<Operation> = fc.record({
  do: fc.constant('rollback' as const),
  back: fc.integer({ min: 1, max: 4 }),
  plan,
});
const operations = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: write },
    { weight: 1, arbitrary: discard },
    { weight: 2, arbitrary: checkpoint },
    { weight: 1, arbitrary: rollback },
  ),
  { minLength: 1, maxLength: 60 },
);

/** Does everything twice, once in memory and once in the model, and compares. */
class Comparison {
  readonly memory: GuestMemory;
  readonly model: MemoryModel;
  /** Newest first, one for each epoch of the model. */
  logs: readonly LogChain[] = [];
  private written = 0;

  constructor(logPages: number) {
    this.memory = new GuestMemory(PAGES * PAGE, logPages);
    this.model = new MemoryModel(PAGES, logPages);
  }

  apply(operation: Operation): void {
    switch (operation.do) {
      case 'write':
        this.write(operation.offset, operation.bytes);
        break;
      case 'discard':
        this.memory.discard(operation.frame);
        this.model.discard(operation.frame);
        break;
      case 'checkpoint':
        this.checkpoint(operation.plan, operation.retain);
        break;
      case 'rollback':
        this.rollback(operation.back, operation.plan);
        break;
    }
    this.settleLoss();
    this.compare();
  }

  checkpoint(epochPlan: EpochPlan, retain: number): void {
    const { report } = this.model;
    const [closing] = this.model.epochs;
    const [closed] = this.logs;
    if (!this.model.checkpoint(epochPlan)) {
      expect(() => this.memory.nextEpoch(epochPlan)).toThrow('RMK_ERR_LOGFULL');
      return;
    }
    const next = this.memory.nextEpoch(epochPlan);
    expect(next.closed).toEqual(report);
    expect(next.log.entries).toBe(this.model.epochs[0]?.preSaved.size);
    if (closing !== undefined && closed !== undefined) {
      expect(ascending(this.framesOf(closed))).toEqual(ascending(closing.saved));
    }
    this.logs = [next.log, ...this.logs];
    for (const log of this.logs.slice(retain)) this.memory.area.release(log);
    this.logs = this.logs.slice(0, retain);
    this.model.retain(retain);
  }

  rollback(back: number, epochPlan: EpochPlan): void {
    const count = Math.min(back, this.logs.length);
    if (count === 0) return;
    const undone = this.logs.slice(0, count);
    const pages = new Set(this.model.epochs.slice(0, count).flatMap(({ saved }) => [...saved]));
    this.memory.checkChain(undone);
    const { log, pagesRestored } = this.memory.rollback(undone, epochPlan);
    this.model.rollback(count, epochPlan);
    expect(pagesRestored).toBe(pages.size);
    for (const spent of undone) this.memory.area.release(spent);
    this.logs = [log, ...this.logs.slice(count)];
  }

  compare(): void {
    expect(Buffer.compare(this.memory.u8, this.model.memory)).toBe(0);
    const present = Array.from({ length: PAGES }, (_, page) => page).filter((page) =>
      this.memory.isPresent(page),
    );
    const found = `${this.memory.area.free} entries free, pages ${present.join(' ')}`;
    expect(found).toBe(`${this.model.free} entries free, pages ${ascending(this.model.present).join(' ')}`);
  }

  private write(from: number, length: number): void {
    const offset = Math.max(0, from);
    const data = new Uint8Array(Math.min(length, PAGES * PAGE - offset)).fill(++this.written);
    this.memory.write(offset, data);
    this.model.write(offset, data);
  }

  private settleLoss(): void {
    const reason = this.memory.takeLostReason();
    expect(reason !== undefined).toBe(this.model.lost);
    if (reason === undefined) return;
    expect(this.logs.some((log) => this.memory.area.isUsable(log))).toBe(false);
    this.logs = [];
    this.model.lost = false;
  }

  private framesOf(log: LogChain): readonly number[] {
    const { area } = this.memory;
    const found: number[] = [];
    for (let entry = log.first; entry >= 0; entry = area.after(entry)) found.push(area.frame(entry));
    return found;
  }
}

describe('guest memory', () => {
  it('goes back to what a full copy taken at the checkpoint holds, whatever was planned, written, given back or rolled back in between', () => {
    fc.assert(
      fc.property(operations, (all) => {
        const comparison = new Comparison(PLENTY);
        for (const operation of all) comparison.apply(operation);
      }),
      { numRuns: 100 },
    );
  });

  it('does so in a log area that is full now and then: then all logs are lost, and nothing else', () => {
    fc.assert(
      fc.property(operations, fc.integer({ min: 1, max: 24 }), (all, logPages) => {
        const comparison = new Comparison(logPages);
        for (const operation of all) comparison.apply(operation);
      }),
      { numRuns: 100 },
    );
  });

  it('holds in each log the state at the opening of its epoch', async () => {
    await fc.assert(
      fc.asyncProperty(operations, async (all) => {
        const comparison = new Comparison(PLENTY);
        for (const operation of all) comparison.apply(operation);
        for (const [age, epoch] of comparison.model.epochs.entries()) {
          const chain = comparison.logs[age];
          if (chain === undefined) throw new Error('the model has more epochs than there are logs');
          const log = new EmbeddedPageLog(comparison.memory.area, chain);
          expect(log.pages).toBe(epoch.saved.size);
          for (const saved of await log.frames()) {
            const at = epoch.atOpening.slice(saved * PAGE, (saved + 1) * PAGE);
            expect(await log.read(saved)).toEqual(epoch.presentAtOpening.has(saved) ? at : 'absent');
          }
          expect(await log.verify()).toHaveLength(0);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('gives the frames of a log in the order in which they were saved', async () => {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    const { log: chain } = memory.nextEpoch({ preSave: 'none' });
    for (const page of [5, 1, 9]) memory.write(page * PAGE, Uint8Array.of(1));
    expect([...(await new EmbeddedPageLog(memory.area, chain).frames())]).toEqual([5, 1, 9]);
  });

  it('reports each page fault once, in order', () => {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    memory.write(0, Uint8Array.of(1));
    expect(memory.hasFaulted).toBe(false);
    memory.nextEpoch({ preSave: 'none' });
    memory.write(3 * PAGE - 1, Uint8Array.of(1, 2));
    memory.write(0, Uint8Array.of(1));
    memory.write(3 * PAGE, Uint8Array.of(1));
    expect([...memory.takeFaulted()]).toEqual([2, 3, 0]);
    expect(memory.hasFaulted).toBe(false);
    memory.write(PAGE, new Uint8Array(0));
    expect(memory.hasFaulted).toBe(false);
  });

  it('reports no fault whose log was lost, and counts the faults of each epoch separately', () => {
    const memory = new GuestMemory(PAGES * PAGE, 2);
    memory.nextEpoch({ preSave: 'none' });
    memory.write(0, new Uint8Array(3 * PAGE).fill(1));
    expect(memory.takeLostReason()).toContain('the log area of 2 pages is full');
    expect(memory.takeLostReason()).toBeUndefined();
    expect([memory.hasFaulted, ...memory.takeFaulted()]).toEqual([false]);

    const { log } = memory.nextEpoch({ preSave: 'none' });
    memory.write(0, Uint8Array.of(1));
    expect(memory.rollback([log], { preSave: 'none' }).pagesRestored).toBe(1);
    expect(memory.nextEpoch({ preSave: 'none' }).closed?.pageFaults).toBe(0);
  });

  it('tracks nothing where there is no room for logs at all', () => {
    const memory = new GuestMemory(PAGES * PAGE, 0);
    memory.nextEpoch({ preSave: 'none' });
    memory.write(0, Uint8Array.of(1));
    expect(memory.takeLostReason()).toContain('the log area of 0 pages is full');
  });

  it('saves no neighbours of a page before a plan asks for it', () => {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    const { log } = memory.nextEpoch({ preSave: 'none' });
    memory.write(2 * PAGE, Uint8Array.of(1));
    expect(log.entries).toBe(1);
  });

  it('announces once that code was written, by a store, a flipped bit or a page given back', () => {
    for (const change of [
      (memory: GuestMemory) => memory.write(3 * PAGE + 8, Uint8Array.of(1)),
      (memory: GuestMemory) => memory.flipBit(3 * PAGE + 8, 0),
      (memory: GuestMemory) => memory.discard(3),
    ]) {
      const memory = new GuestMemory(PAGES * PAGE, PLENTY);
      const announced: number[] = [];
      memory.onCodeWritten = (written) => void announced.push(written);
      memory.write(3 * PAGE, Uint8Array.of(7));
      memory.watchCode((3 * PAGE) >>> LINE_SHIFT);
      memory.write(4 * PAGE, Uint8Array.of(7));
      expect(announced).toEqual([]);
      change(memory);
      expect(announced).toEqual([3]);
      memory.write(3 * PAGE, Uint8Array.of(2));
      expect(announced).toEqual([3]);
    }
  });

  it('announces of pages that are loaded those alone whose code differs', () => {
    const line = 1 << LINE_SHIFT;
    const code = Uint8Array.from({ length: PAGE }, (_, index) => index);
    const changed = (at: number): Uint8Array => code.with(at, (code[at] ?? 0) ^ 1);
    const loaded = (page: Uint8Array | undefined): readonly number[] => {
      const memory = new GuestMemory(PAGES * PAGE, PLENTY);
      const announced: number[] = [];
      memory.onCodeWritten = (written) => void announced.push(written);
      memory.write(3 * PAGE, code);
      memory.watchCode((3 * PAGE + line) >>> LINE_SHIFT);
      memory.load(Array.from({ length: PAGES }, (_, index) => (index === 3 ? page : undefined)));
      expect(memory.u8.slice(3 * PAGE, 4 * PAGE)).toEqual(page ?? new Uint8Array(PAGE));
      const atLoad = [...announced];
      memory.write(3 * PAGE + line, Uint8Array.of(7));
      // What was kept is still watched.
      expect(announced).toEqual([3]);
      return atLoad;
    };
    expect(loaded(code.slice())).toEqual([]);
    expect([changed(line - 1), changed(2 * line)].map(loaded)).toEqual([[], []]);
    expect([changed(line), changed(2 * line - 1), undefined].map(loaded)).toEqual([[3], [3], [3]]);
  });

  it('says whether the guest wrote code, or somebody else', () => {
    for (const [isGuest, change] of [
      [true, (memory: GuestMemory) => memory.beforeWrite(3, 3 * PAGE)],
      [true, (memory: GuestMemory) => memory.beforeWrite(3)],
      [false, (memory: GuestMemory) => memory.write(3 * PAGE, Uint8Array.of(1))],
      [false, (memory: GuestMemory) => memory.flipBit(3 * PAGE, 0)],
      [false, (memory: GuestMemory) => memory.discard(3)],
      [false, (memory: GuestMemory) => memory.reset()],
      [false, (memory: GuestMemory) => memory.load(Array.from({ length: PAGES }, () => undefined))],
    ] as const) {
      const memory = new GuestMemory(PAGES * PAGE, PLENTY);
      const announced: boolean[] = [];
      memory.onCodeWritten = (_, byGuest) => void announced.push(byGuest);
      memory.write(3 * PAGE, Uint8Array.of(7));
      memory.watchCode((3 * PAGE) >>> LINE_SHIFT);
      change(memory);
      expect(announced).toEqual([isGuest]);
    }
  });

  it('flips a bit without a fault, and the page exists from then on', () => {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    const { log } = memory.nextEpoch({ preSave: 'none' });
    memory.flipBit(5 * PAGE + 3, 6);
    expect([memory.u8[5 * PAGE + 3], memory.isPresent(5), log.entries]).toEqual([64, true, 0]);
    memory.flipBit(5 * PAGE + 3, 6);
    expect(memory.u8[5 * PAGE + 3]).toBe(0);
  });

  it('keeps its parts apart: RAM, logs, registers, what translated code leaves and jumps to, and the page states', () => {
    const { layout, area } = new GuestMemory(PAGES * PAGE, 3);
    expect(area.capacity).toBe(3);
    expect(layout.registers).toBe((PAGES + 3) * PAGE);
    expect(layout.pc).toBe(layout.registers + 128);
    expect(layout.left).toBe(layout.pc + 4);
    expect(layout.leftRegion).toBe(layout.left + 4);
    expect(layout.csr).toBe(layout.leftRegion + 4);
    expect(layout.jumpCache).toBe(layout.csr + 4);
    // Each entry is two words.
    expect(layout.slotEntries).toBe(layout.jumpCache + 8 * layout.jumpCacheEntries);
    expect(layout.pageState).toBe(layout.slotEntries + 8 * layout.slots);
    expect(layout.wasmPages).toBe(Math.ceil((layout.pageState + PAGES) / 65_536));
  });

  it('gives the translator 16-bit and 32-bit views of all of RAM', () => {
    const memory = new GuestMemory(PAGES * PAGE, 1);
    expect([
      memory.u16.byteLength,
      memory.i16.byteLength,
      memory.i32.byteLength,
      memory.i8.byteLength,
    ]).toEqual(Array.from({ length: 4 }, () => PAGES * PAGE));
  });

  it('damages the bit of a saved page that it is asked to, and finds that damage', async () => {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    memory.write(2 * PAGE, Uint8Array.of(9));
    const { log: chain } = memory.nextEpoch({ preSave: 'none' });
    memory.write(2 * PAGE, Uint8Array.of(1));
    const log = new EmbeddedPageLog(memory.area, chain);
    log.damage(2, 8 * 5 + 3);
    const saved = await log.read(2);
    expect([saved[0], saved[5]]).toEqual([9, 8]);
    expect([...(await log.verify())]).toEqual([2]);
    expect(() => memory.rollback([chain], { preSave: 'none' })).toThrow('RMK_ERR_');
    expect(() => log.damage(2, 8 * PAGE)).toThrow('RMK_ERR_INPUT');
    expect(() => log.damage(7, 0)).toThrow('RMK_ERR_');
  });

  it('keeps counting epochs after a reset, so that no earlier log passes for a later one', () => {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    const { log } = memory.nextEpoch({ preSave: 'none' });
    const before = memory.openEpoch;
    memory.reset();
    expect(memory.openEpoch).toBeGreaterThan(before);
    memory.nextEpoch({ preSave: 'none' });
    expect(() => memory.checkChain([log])).toThrow('RMK_ERR_RELEASED');
  });

  it('counts epochs from 0 again after a load, which leaves no trace of what was before', () => {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    const { log } = memory.nextEpoch({ preSave: 'none' });
    memory.nextEpoch({ preSave: 'none' });
    memory.write(0, Uint8Array.of(1));
    memory.load([]);
    expect(memory.openEpoch).toBe(0);
    expect(memory.hasFaulted).toBe(false);
    memory.nextEpoch({ preSave: 'none' });
    expect(memory.openEpoch).toBe(1);
    expect(() => memory.checkChain([log])).toThrow('RMK_ERR_RELEASED');
  });

  it('is as at power-on after a reset', () => {
    fc.assert(
      fc.property(operations, (all) => {
        const comparison = new Comparison(PLENTY);
        for (const operation of all) comparison.apply(operation);
        const { memory, logs } = comparison;
        memory.reset();
        expect(memory.u8.every((byte) => byte === 0)).toBe(true);
        expect(Array.from({ length: PAGES }, (_, page) => memory.isPresent(page))).not.toContain(true);
        expect(memory.area.free).toBe(PLENTY);
        expect(logs.some((log) => memory.area.isUsable(log))).toBe(false);
        expect(memory.nextEpoch({ preSave: 'updated' }).closed).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });
});

const dirtySets = fc.array(fc.uniqueArray(frame), { minLength: 2, maxLength: 12 });

/** One epoch for each set of pages, all of which are written in it; gives the reports. */
function epochsWriting(sets: readonly (readonly number[])[], epochPlan: EpochPlan) {
  const memory = new GuestMemory(PAGES * PAGE, PLENTY);
  memory.nextEpoch(epochPlan);
  return sets.map((dirty) => {
    for (const page of dirty) memory.write(page * PAGE + 7, Uint8Array.of(1));
    const { closed } = memory.nextEpoch(epochPlan);
    if (closed === undefined) throw new Error('no epoch was closed');
    return closed;
  });
}

describe('the numbers of an epoch (§3)', () => {
  it('COWB: a fault for each page written, and nothing saved ahead', () => {
    fc.assert(
      fc.property(dirtySets, (sets) => {
        for (const [i, report] of epochsWriting(sets, { preSave: 'none' }).entries()) {
          const written = sets[i] ?? [];
          expect(report).toEqual({
            updated: Uint32Array.from(ascending(written)),
            pageFaults: written.length,
            pagesSaved: written.length,
            pagesPreSaved: 0,
            preSavedInVain: 0,
          });
        }
      }),
    );
  });

  it('COWP: faults less pages saved in vain are the growth of the set of pages written, so their sum telescopes', () => {
    fc.assert(
      fc.property(dirtySets, (sets) => {
        const reports = epochsWriting(sets, { preSave: 'updated' });
        const differences = reports.map(({ pageFaults, preSavedInVain }) => pageFaults - preSavedInVain);
        const sizes = sets.map((written) => written.length);
        expect(differences).toEqual(sizes.map((size, i) => size - (sizes[i - 1] ?? 0)));
        expect(differences.reduce((sum, difference) => sum + difference, 0)).toBe(sizes.at(-1));
        for (const [i, report] of reports.entries()) {
          const before = new Set(sets[i - 1]);
          const written = sets[i] ?? [];
          expect(report.pageFaults).toBe(written.filter((page) => !before.has(page)).length);
          expect(report.pagesPreSaved).toBe(before.size);
          expect(report.pagesSaved).toBe(new Set([...before, ...written]).size);
        }
      }),
    );
  });

  it('a page given back counts as written', () => {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    memory.write(0, new Uint8Array(2 * PAGE).fill(1));
    memory.nextEpoch({ preSave: 'none' });
    memory.discard(1);
    memory.discard(1);
    memory.discard(5);
    expect(memory.nextEpoch({ preSave: 'none' }).closed).toMatchObject({
      updated: Uint32Array.of(1),
      pageFaults: 1,
    });
  });

  it('neighbours saved with a faulting page lie in its aligned cluster', () => {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    memory.nextEpoch({ preSave: 'none', clusterPages: 4 });
    memory.write(6 * PAGE, Uint8Array.of(1));
    memory.write(5 * PAGE, Uint8Array.of(1));
    expect(memory.nextEpoch({ preSave: 'none' }).closed).toEqual({
      updated: Uint32Array.of(5, 6),
      pageFaults: 1,
      pagesSaved: 4,
      pagesPreSaved: 3,
      preSavedInVain: 2,
    });
  });
});

describe('a plan', () => {
  const notPowersOfTwo = [0, -1, 3, 1.5, 1024, NaN, Infinity];

  it.each(notPowersOfTwo)('is refused with clusters of %d pages, and the old epoch stays open', (pages) => {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    const { log } = memory.nextEpoch({ preSave: 'none' });
    memory.write(0, Uint8Array.of(1));
    expect(() => memory.nextEpoch({ preSave: 'none', clusterPages: pages })).toThrow('RMK_ERR_INPUT');
    expect(() => memory.rollback([log], { preSave: 'none', clusterPages: pages })).toThrow('RMK_ERR_INPUT');
    expect(memory.u8[0]).toBe(1);
    memory.checkChain([log]);
    memory.rollback([log], { preSave: 'none' });
    expect(memory.u8[0]).toBe(0);
  });

  it('is refused with page frames that the VM does not have, and nothing has changed', () => {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    const { log } = memory.nextEpoch({ preSave: 'none' });
    memory.write(0, Uint8Array.of(1));
    const outside: EpochPlan = { preSave: 'none', add: Uint32Array.of(1, PAGES) };
    expect(() => memory.nextEpoch(outside)).toThrow('RMK_ERR_ADDRESS');
    expect(() => memory.rollback([log], outside)).toThrow('RMK_ERR_ADDRESS');
    expect(memory.u8[0]).toBe(1);
    memory.checkChain([log]);
    memory.rollback([log], { preSave: 'none' });
    expect(memory.u8[0]).toBe(0);
  });

  it('that does not fit is refused, and the old epoch stays open', () => {
    const memory = new GuestMemory(PAGES * PAGE, 4);
    const { log } = memory.nextEpoch({ preSave: 'none' });
    memory.write(0, new Uint8Array(3 * PAGE).fill(1));
    expect(() => memory.nextEpoch({ preSave: 'updated' })).toThrow('RMK_ERR_LOGFULL');
    memory.write(3 * PAGE, Uint8Array.of(1));
    memory.checkChain([log]);
    expect(memory.rollback([log], { preSave: 'updated' }).pagesRestored).toBe(4);
    expect(memory.u8.every((byte) => byte === 0)).toBe(true);
  });
});

describe('logs', () => {
  function threeEpochs(): { memory: GuestMemory; logs: readonly LogChain[] } {
    const memory = new GuestMemory(PAGES * PAGE, PLENTY);
    const oldestFirst = [1, 2, 3].map((value) => {
      const { log } = memory.nextEpoch({ preSave: 'none' });
      memory.write(0, Uint8Array.of(value));
      return log;
    });
    return { memory, logs: oldestFirst.toReversed() };
  }

  const choose = (logs: readonly LogChain[], ...ages: readonly number[]) =>
    ages.map((age) => logs[age] as LogChain);

  it.each([[[]], [[1]], [[1, 0]], [[0, 2]], [[0, 2, 1]], [[0, 0]], [[1, 2]]])(
    'of the ages %j, in this order, make no rollback',
    (ages) => {
      const { memory, logs } = threeEpochs();
      expect(() => memory.checkChain(choose(logs, ...ages))).toThrow('RMK_ERR_RELEASED');
    },
  );

  it.each([[[0]], [[0, 1]], [[0, 1, 2]]])('of the ages %j do', (ages) => {
    const { memory, logs } = threeEpochs();
    expect(() => memory.checkChain(choose(logs, ...ages))).not.toThrow();
  });

  it('bar what is older than a released one, and only that', () => {
    const { memory, logs } = threeEpochs();
    memory.area.release(choose(logs, 1)[0] as LogChain);
    expect(() => memory.checkChain(logs)).toThrow('RMK_ERR_RELEASED');
    expect(() => memory.checkChain(choose(logs, 0, 2))).toThrow('RMK_ERR_RELEASED');
    memory.rollback(choose(logs, 0), { preSave: 'none' });
    expect(memory.u8[0]).toBe(2);
  });

  it('that were rolled back over cannot be used again', () => {
    const { memory, logs } = threeEpochs();
    const { log } = memory.rollback(choose(logs, 0, 1), { preSave: 'none' });
    expect(() => memory.checkChain([log, ...choose(logs, 1)])).toThrow('RMK_ERR_RELEASED');
    expect(() => memory.checkChain(choose(logs, 0))).toThrow('RMK_ERR_RELEASED');
    memory.checkChain([log, ...choose(logs, 2)]);
    memory.rollback([log, ...choose(logs, 2)], { preSave: 'none' });
    expect(memory.u8[0]).toBe(0);
  });

  it('of another VM are refused, though they have the same numbers', () => {
    const { memory, logs } = threeEpochs();
    const other = threeEpochs();
    expect(() => memory.checkChain(other.logs)).toThrow('RMK_ERR_RELEASED');
    expect(() => memory.checkChain([...choose(logs, 0), ...choose(other.logs, 1)])).toThrow(
      'RMK_ERR_RELEASED',
    );
  });

  it('can be released twice without giving an entry back twice', () => {
    const { memory, logs } = threeEpochs();
    for (const log of [...logs, ...logs]) memory.area.release(log);
    expect(memory.area.free).toBe(PLENTY);
  });

  it('end the tracking safely where the open one is released: no page is taken for logged', () => {
    const { memory, logs } = threeEpochs();
    memory.area.release(choose(logs, 0)[0] as LogChain);
    memory.write(0, Uint8Array.of(9));
    memory.write(PAGE, Uint8Array.of(9));
    expect(memory.hasFaulted).toBe(true);
    memory.takeFaulted();
    expect(() => memory.checkChain(logs)).toThrow('RMK_ERR_RELEASED');
    expect(() => memory.checkChain(choose(logs, 1, 2))).toThrow('RMK_ERR_RELEASED');
    const { log, closed } = memory.nextEpoch({ preSave: 'updated' });
    expect(closed).toBeUndefined();
    memory.write(0, Uint8Array.of(10));
    memory.write(PAGE, Uint8Array.of(10));
    memory.rollback([log], { preSave: 'none' });
    expect([memory.u8[0], memory.u8[PAGE]]).toEqual([9, 9]);
  });
});
