import type { Checkpointed } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { cases, LONG } from '../../../../test/long.js';
import { EmbeddedHypervisor } from '../../src/embeddedHypervisor.js';
import { GuestMemory } from '../../src/memory/guestMemory.js';
import { collectGarbage } from '../collectGarbage.js';
import { assembledElf, stores } from '../guestFixtures.js';

const PAGES = 4096;
const EPOCHS = cases(300, 10_000);
const EPOCH_NS = 1e5;
const RETAINED = 3;
const ROLLBACK_EACH = 5;
/** A checkpoint that is kept takes more than 100 bytes; the rest of the process moves by some 400 KiB. */
const MOST_GROWTH_BYTES = 1024 * 1024;

describe('in the steady state', () => {
  it('a page fault allocates nothing', () => {
    const memory = new GuestMemory(PAGES * 4096, 2 * PAGES);
    const grownBytes = Array.from({ length: 40 }, () => {
      const { log } = memory.nextEpoch({ preSave: 'none' });
      const before = process.memoryUsage().heapUsed;
      for (let frame = 0; frame < PAGES; frame++) memory.beforeWrite(frame);
      const grown = process.memoryUsage().heapUsed - before;
      expect(memory.takeFaulted()).toHaveLength(PAGES);
      expect(memory.area.free).toBe(PAGES);
      memory.nextEpoch({ preSave: 'none' });
      memory.area.release(log);
      return grown;
    });
    // The median, without what compiling and collecting do in between. The smallest object takes 8 bytes or more.
    expect(grownBytes.toSorted((a, b) => a - b)[20]).toBeLessThan(4 * PAGES);
  });

  it(`every log page comes back over ${EPOCHS} epochs with rollbacks`, async () => {
    const hypervisor = new EmbeddedHypervisor();
    const memoryBytes = 32 * 4096;
    const machine = hypervisor.createMachine({ name: 'vm', elf: assembledElf(stores), memoryBytes });
    const capacity = machine.freeLogPages;
    let ring: readonly Checkpointed[] = [];
    const release = (dropped: readonly Checkpointed[]) => dropped.forEach(({ log }) => log.release());

    const runEpochs = async (count: number): Promise<void> => {
      for (let epoch = 1; epoch <= count; epoch++) {
        ring = [await machine.checkpoint({ preSave: 'updated' }), ...ring];
        release(ring.slice(RETAINED));
        ring = ring.slice(0, RETAINED);
        await hypervisor.run({ untilNs: machine.clock.now() + EPOCH_NS });
        if (epoch % ROLLBACK_EACH !== 0) continue;
        const [newest, older, ...rest] = ring;
        if (newest === undefined || older === undefined) continue;
        await machine.suspend();
        const to = { context: older.context, logs: [newest.log, older.log] };
        const rolledBack = await machine.rollback(to, { preSave: 'updated' });
        release([newest, older]);
        ring = [rolledBack, ...rest];
        await machine.resume();
      }
      const held = ring.reduce((sum, { log }) => sum + log.pages, 0);
      expect(held).toBeGreaterThan(0);
      expect(machine.freeLogPages).toBe(capacity - held);
    };

    // What compiles, compiles here.
    await runEpochs(EPOCHS / 3);
    const begun = await heapBytes();
    await runEpochs(EPOCHS);
    // Few epochs would not show in the heap.
    if (LONG) expect((await heapBytes()) - begun).toBeLessThan(MOST_GROWTH_BYTES);
    release(ring);
    expect(machine.freeLogPages).toBe(capacity);
  });
});

async function heapBytes(): Promise<number> {
  await collectGarbage();
  return process.memoryUsage().heapUsed;
}
