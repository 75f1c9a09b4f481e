import type { Checkpointed, EpochPlan } from '@rmk/core';
import {
  EmbeddedHypervisor,
  EmbeddedPageLog,
  RAM_BASE,
  type EmbeddedMachine,
} from '@rmk/hypervisor-embedded';
import { guestMachine } from '@rmk/testing';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  collect,
  restore,
  restoreAll,
  savedPages,
  suppliers,
  type MemoryImage,
  type SavedPages,
} from '../src/specification.js';

const PAGE = 4096;
const PAGES = 64;
/** Pages of which the guest's program has none. */
const FIRST = 40;

type Step =
  | { readonly do: 'write'; readonly offset: number; readonly bytes: number }
  | { readonly do: 'discard'; readonly frame: number }
  | { readonly do: 'checkpoint'; readonly plan: EpochPlan }
  | { readonly do: 'rollback'; readonly back: number; readonly plan: EpochPlan };

const frame = fc.integer({ min: FIRST, max: PAGES - 1 });
const frames = fc.array(frame, { maxLength: 4 }).map((list) => Uint32Array.from(list));
const plan: fc.Arbitrary<EpochPlan> = fc.record(
  {
    preSave: fc.constantFrom('none' as const, 'updated' as const),
    add: frames,
    drop: frames,
    clusterPages: fc.constantFrom(1, 2, 4, 8),
  },
  { requiredKeys: ['preSave'] },
);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('write' as const),
        offset: fc.integer({ min: FIRST * PAGE, max: PAGES * PAGE - 1 }),
        bytes: fc.oneof(fc.nat(16), fc.nat(2 * PAGE)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('discard' as const), frame }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('checkpoint' as const), plan }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('rollback' as const),
        back: fc.integer({ min: 1, max: 4 }),
        plan,
      }),
    },
  ),
  { minLength: 5, maxLength: 40 },
);

/** A checkpoint of the driver, with a plain copy of all memory taken then. */
type Kept = Checkpointed & { readonly copy: Uint8Array };

class DriverUnderTest {
  readonly machine: EmbeddedMachine;
  /** Newest first. */
  kept: readonly Kept[] = [];
  private written = 0;

  constructor() {
    // Its guest never runs: only the host writes.
    this.machine = new EmbeddedHypervisor().createMachine({
      ...guestMachine('tasks'),
      memoryBytes: PAGES * PAGE,
    });
  }

  memory(): Promise<Uint8Array> {
    return this.machine.read(RAM_BASE, PAGES * PAGE);
  }

  /** Of the specification: a page that reads as zero may exist or not, which makes no difference to what is read. */
  async image(): Promise<MemoryImage> {
    const memory = await this.memory();
    return new Map(
      Array.from({ length: PAGES }, (_, page) => [page, memory.slice(page * PAGE, (page + 1) * PAGE)]),
    );
  }

  logs(back: number): Promise<readonly SavedPages[]> {
    return Promise.all(this.kept.slice(0, back).map(({ log }) => savedPages(log)));
  }

  async apply(step: Step): Promise<void> {
    switch (step.do) {
      case 'write': {
        const bytes = Math.min(step.bytes, PAGES * PAGE - step.offset);
        await this.machine.write(RAM_BASE + step.offset, new Uint8Array(bytes).fill(++this.written));
        return;
      }
      case 'discard':
        this.machine.discard(step.frame);
        return;
      case 'checkpoint':
        this.kept = [
          { ...(await this.machine.checkpoint(step.plan)), copy: await this.memory() },
          ...this.kept,
        ];
        return;
      case 'rollback':
        await this.rollback(Math.min(step.back, this.kept.length), step.plan);
    }
  }

  /** Goes back, and compares with the specification and with the copy. */
  async rollback(back: number, epochPlan: EpochPlan): Promise<void> {
    const target = this.kept[back - 1];
    if (target === undefined) return;
    const [now, newestFirst] = await Promise.all([this.image(), this.logs(back)]);
    const undone = this.kept.slice(0, back);
    await this.machine.suspend();
    const done = await this.machine.rollback(
      { context: target.context, logs: undone.map(({ log }) => log) },
      epochPlan,
    );
    const memory = await this.memory();
    expect(Buffer.compare(memory, target.copy)).toBe(0);
    expect(Buffer.compare(memory, bytesOf(restoreAll(now, newestFirst)))).toBe(0);
    const all = newestFirst.reduce((newer, older) => collect(older, newer));
    expect(Buffer.compare(memory, bytesOf(restore(now, all)))).toBe(0);
    expect(done.pagesRestored).toBe(suppliers(newestFirst).size);
    for (const { log } of undone) log.release();
    this.kept = [{ ...done, copy: target.copy }, ...this.kept.slice(back)];
  }
}

function bytesOf(image: MemoryImage): Uint8Array {
  const bytes = new Uint8Array(PAGES * PAGE);
  for (const [page, content] of image) bytes.set(content, page * PAGE);
  return bytes;
}

function embedded({ log }: Checkpointed): EmbeddedPageLog {
  if (log instanceof EmbeddedPageLog) return log;
  throw new Error('a log of another driver');
}

describe('the embedded driver', () => {
  it('does what the specification says, and what a plain copy would', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const driver = new DriverUnderTest();
        for (const step of all) await driver.apply(step);
        await driver.rollback(driver.kept.length, { preSave: 'none' });
      }),
      { numRuns: 150 },
    );
  });

  it('needs those entries intact that the specification calls suppliers, and no others', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), fc.nat(8 * PAGE - 1), async (all, choice, bit) => {
        const driver = new DriverUnderTest();
        for (const step of all) await driver.apply(step);
        const { kept } = driver;
        const newestFirst = await driver.logs(kept.length);
        const needed = suppliers(newestFirst);
        for (const [index, log] of newestFirst.entries()) {
          for (const [page, content] of log) {
            const one = kept[index];
            if (content === 'absent' || needed.get(page) === index || one === undefined) continue;
            embedded(one).damage(page, bit);
          }
        }
        const target = kept.at(-1);
        if (target === undefined) return;
        const to = { context: target.context, logs: kept.map(({ log }) => log) };
        await driver.machine.suspend();
        const withContent = [...needed].filter(([page, index]) => newestFirst[index]?.get(page) !== 'absent');
        const chosen = withContent[choice % Math.max(1, withContent.length)];
        if (chosen !== undefined) {
          const [page, index] = chosen;
          const supplier = kept[index];
          if (supplier === undefined) throw new Error('a log that was not kept');
          const before = await driver.memory();
          embedded(supplier).damage(page, bit);
          await expect(driver.machine.rollback(to, { preSave: 'none' })).rejects.toThrow(
            `RMK_ERR_LOGDAMAGED: the saved contents of page frames ${page} fail`,
          );
          expect(Buffer.compare(await driver.memory(), before)).toBe(0);
          embedded(supplier).damage(page, bit);
        }
        await driver.machine.rollback(to, { preSave: 'none' });
        expect(Buffer.compare(await driver.memory(), target.copy)).toBe(0);
      }),
      { numRuns: 80 },
    );
  });
});
