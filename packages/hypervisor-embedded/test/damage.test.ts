import type { Checkpointed, EpochPlan } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EmbeddedContext } from '../src/memory/embeddedContext.js';
import { EmbeddedPageLog } from '../src/memory/embeddedPageLog.js';
import { assembled, outcomeOf, stores, tasks } from './guestFixtures.js';
import { EmbeddedHypervisor } from '../src/embeddedHypervisor.js';

const PLAN: EpochPlan = { preSave: 'none' };
const PAGE_BITS = 4096 * 8;
const FIRST_FRAME = 16;

function logOf({ log }: Checkpointed): EmbeddedPageLog {
  if (log instanceof EmbeddedPageLog) return log;
  throw new Error('a log of another driver');
}

function contextOf({ context }: Checkpointed): EmbeddedContext {
  if (context instanceof EmbeddedContext) return context;
  throw new Error('a context of another driver');
}

/** A guest with two checkpoints, and so many pages (up to 8) written after each. */
async function checkpointed(pagesAfterFirst: number, pagesAfterSecond: number) {
  const { hypervisor, machine } = assembled(stores);
  await hypervisor.run({ untilNs: 1000 });
  const write = async (pages: number): Promise<void> => {
    for (let page = 0; page < pages; page++) {
      await machine.write(0x8000_0000 + (FIRST_FRAME + page) * 4096, Uint8Array.of(0xee));
    }
  };
  const older = await machine.checkpoint(PLAN);
  await write(pagesAfterFirst);
  const newer = await machine.checkpoint(PLAN);
  await write(pagesAfterSecond);
  await machine.suspend();
  return { machine, older, newer };
}

describe('a damaged page log', () => {
  it('is found for any single bit, and bars the rollback without changing anything', async () => {
    const { machine, newer } = await checkpointed(0, 3);
    const before = outcomeOf(machine);
    const log = logOf(newer);
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.nat(PAGE_BITS - 1), async (page, bit) => {
        const frame = FIRST_FRAME + page;
        log.damage(frame, bit);
        expect(await log.verify()).toEqual(Uint32Array.of(frame));
        await expect(machine.rollback({ context: newer.context, logs: [log] }, PLAN)).rejects.toThrow(
          `RMK_ERR_LOGDAMAGED: the saved contents of page frames ${frame} fail`,
        );
        log.damage(frame, bit);
        expect(await log.verify()).toHaveLength(0);
      }),
      { numRuns: 300 },
    );
    expect(outcomeOf(machine)).toEqual(before);
    const { pagesRestored } = await machine.rollback({ context: newer.context, logs: [log] }, PLAN);
    expect(pagesRestored).toBe(3);
  });

  it('is harmless where an older log within the rollback holds the page', async () => {
    const { machine, older, newer } = await checkpointed(2, 3);
    logOf(newer).damage(FIRST_FRAME, 5);
    logOf(newer).damage(FIRST_FRAME + 1, 6);
    const both = { context: older.context, logs: [newer.log, older.log] };
    await expect(machine.rollback({ context: newer.context, logs: [newer.log] }, PLAN)).rejects.toThrow(
      `page frames ${FIRST_FRAME}, ${FIRST_FRAME + 1} fail`,
    );
    logOf(newer).damage(FIRST_FRAME + 2, 7);
    await expect(machine.rollback(both, PLAN)).rejects.toThrow(`page frames ${FIRST_FRAME + 2} fail`);
    logOf(newer).damage(FIRST_FRAME + 2, 7);
    const golden = assembled(stores);
    await golden.hypervisor.run({ untilNs: 1000 });
    expect((await machine.rollback(both, PLAN)).pagesRestored).toBe(3);
    expect(outcomeOf(machine)).toEqual(outcomeOf(golden.machine));
  });

  it('in a page that only the older log holds bars the way to the older checkpoint, not to the newer', async () => {
    const { machine, older, newer } = await checkpointed(3, 1);
    logOf(older).damage(FIRST_FRAME + 1, 0);
    await expect(
      machine.rollback({ context: older.context, logs: [newer.log, older.log] }, PLAN),
    ).rejects.toThrow('RMK_ERR_LOGDAMAGED');
    expect((await machine.rollback({ context: newer.context, logs: [newer.log] }, PLAN)).pagesRestored).toBe(
      1,
    );
  });

  it('has pages without content, which cannot be damaged, and not every page', async () => {
    const { machine } = assembled(stores);
    const opened = await machine.checkpoint(PLAN);
    await machine.write(0x8000_0000 + FIRST_FRAME * 4096, Uint8Array.of(1));
    expect(await logOf(opened).read(FIRST_FRAME)).toBe('absent');
    expect(() => logOf(opened).damage(FIRST_FRAME, 0)).toThrow('RMK_ERR_INPUT');
    expect(() => logOf(opened).damage(FIRST_FRAME + 1, 0)).toThrow('RMK_ERR_UNKNOWN');
    await expect(opened.log.read(FIRST_FRAME + 1)).rejects.toThrow('RMK_ERR_UNKNOWN');
    opened.log.release();
    expect(() => logOf(opened).damage(FIRST_FRAME, 0)).toThrow('RMK_ERR_RELEASED');
  });

  it.each([-1, PAGE_BITS, 0.5, NaN])('has no bit %d', async (bit) => {
    const { newer } = await checkpointed(0, 1);
    expect(() => logOf(newer).damage(FIRST_FRAME, bit)).toThrow('RMK_ERR_INPUT');
    expect(await newer.log.verify()).toHaveLength(0);
  });
});

describe('a damaged context', () => {
  it('is found for every single bit, and bars the rollback without changing anything', async () => {
    const { machine, newer } = await checkpointed(0, 3);
    const before = outcomeOf(machine);
    const context = contextOf(newer);
    for (let bit = 0; bit < 8 * context.bytes; bit++) {
      context.damage(bit);
      if (await context.verify()) expect.fail(`the flip of bit ${bit} was not found`);
      context.damage(bit);
    }
    context.damage(77);
    await expect(machine.rollback({ context, logs: [newer.log] }, PLAN)).rejects.toThrow(
      'RMK_ERR_LOGDAMAGED',
    );
    expect(outcomeOf(machine)).toEqual(before);
    context.damage(77);
    await machine.rollback({ context, logs: [newer.log] }, PLAN);
  });

  it.each([-1, 1e9, 0.5, NaN])('has no bit %d', async (bit) => {
    const { newer } = await checkpointed(0, 1);
    expect(() => contextOf(newer).damage(bit)).toThrow('RMK_ERR_INPUT');
    expect(await newer.context.verify()).toBe(true);
  });
});

describe('a full log area', () => {
  it('discards the logs and is reported, and the guest ends as without it', async () => {
    const golden = assembled(stores);
    await golden.hypervisor.run({ untilNs: 100_000 });
    const { hypervisor, machine } = assembled(stores, { logPages: 7 });
    const lost: string[] = [];
    machine.observe('loglost', ({ atNs, reason }) => void lost.push(`${atNs} ${reason}`));
    const first = await machine.checkpoint(PLAN);
    await hypervisor.run({ untilNs: 20_000 });
    expect(lost).toHaveLength(1);
    expect(lost[0]).toContain('the log area of 7 pages is full: retain fewer checkpoints');
    await machine.suspend();
    const before = outcomeOf(machine);
    await expect(machine.rollback({ context: first.context, logs: [first.log] }, PLAN)).rejects.toThrow(
      'RMK_ERR_RELEASED',
    );
    await expect(first.log.frames()).rejects.toThrow('RMK_ERR_RELEASED');
    expect(outcomeOf(machine)).toEqual(before);
    await machine.resume();
    await hypervisor.run({ untilNs: 100_000 });
    expect(outcomeOf(machine)).toEqual(outcomeOf(golden.machine));
    expect(lost).toHaveLength(1);
  });

  it('does not stand in the way of a later checkpoint', async () => {
    const { hypervisor, machine } = assembled(stores, { logPages: 7 });
    await machine.checkpoint(PLAN);
    await hypervisor.run({ untilNs: 20_000 });
    const next = await machine.checkpoint({ preSave: 'updated' });
    expect(next.closed).toBeUndefined();
    const before = outcomeOf(machine);
    await hypervisor.run({ untilNs: 20_160 });
    await machine.suspend();
    const { pages } = next.log;
    expect(pages).toBeGreaterThan(1);
    const { pagesRestored } = await machine.rollback({ context: next.context, logs: [next.log] }, PLAN);
    expect(pagesRestored).toBe(pages);
    expect(outcomeOf(machine)).toEqual(before);
  });

  it('refuses a plan that does not fit, and leaves the old epoch open', async () => {
    const { hypervisor, machine } = assembled(stores, { logPages: 12 });
    const { context, log } = await machine.checkpoint(PLAN);
    const before = outcomeOf(machine);
    await hypervisor.run({ untilNs: 20_000 });
    const reached = outcomeOf(machine);
    await expect(machine.checkpoint({ preSave: 'updated' })).rejects.toThrow(
      /RMK_ERR_LOGFULL: the plan pre-saves 8 pages, but the log area has room for 4 of its 12/,
    );
    expect(outcomeOf(machine)).toEqual(reached);
    await machine.suspend();
    await machine.rollback({ context, logs: [log] }, PLAN);
    expect(outcomeOf(machine)).toEqual(before);
  });

  it('of a guest that is far too large for it does no harm, checkpoint after checkpoint', async () => {
    const golden = new EmbeddedHypervisor();
    const undisturbed = golden.createMachine(tasks());
    await golden.run({ untilNs: 30e6 });
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine({ ...tasks(), logPages: 3 });
    let lost = 0;
    machine.observe('loglost', () => void lost++);
    for (let atNs = 0; atNs < 30e6; atNs += 3e6) {
      await hypervisor.run({ untilNs: atNs });
      await machine.checkpoint({ preSave: 'updated' });
    }
    await hypervisor.run({ untilNs: 30e6 });
    expect(lost).toBe(10);
    expect(outcomeOf(machine)).toEqual(outcomeOf(undisturbed));
  });
});
