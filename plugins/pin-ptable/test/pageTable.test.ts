import { CHECKPOINTING, P_PTABLE, PAGE_BYTES, type Facts } from '@rmk/core';
import { RAM_BASE } from '@rmk/hypervisor-embedded';
import { goldenRun, startRig, type RigOptions } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { pinPtable } from '../src/index.js';

const tasks = { guest: 'tasks' } as const;

async function start(machine: NonNullable<Extract<RigOptions, { guest: string }>['machine']> = {}) {
  const rig = await startRig({ ...tasks, machine, plugins: [pinPtable()], record: ['EVT_PAGEFAULT'] });
  const facts: Facts['pagefault'][] = [];
  rig.machine.observe('pagefault', (fact) => void facts.push(fact));
  return { rig, facts, pageTable: rig.domain.get(P_PTABLE), checkpointing: rig.domain.get(CHECKPOINTING) };
}

describe('P_PTABLE', () => {
  it('takes checkpoints, rolls back, and leaves the guest as it was at the checkpoint', async () => {
    const { rig, checkpointing } = await start();
    await rig.advance('5ms');
    const first = await checkpointing.checkpoint({ preSave: 'none' });
    expect(first.atNs).toBe(5e6);
    expect(first).not.toHaveProperty('closed');
    await rig.advance('5ms');
    const second = await checkpointing.checkpoint({ preSave: 'updated' });
    expect(second.closed).toMatchObject({ openedAtNs: 5e6, closedAtNs: 10e6 });
    await rig.advance('5ms');
    await rig.machine.suspend();
    const logs = [second.log, first.log];
    const done = await checkpointing.rollback({ context: first.context, logs }, { preSave: 'none' });
    expect(done).toMatchObject({ atNs: 15e6, undoneNs: 10e6 });
    expect(rig.guestState).toEqual(await goldenRun(tasks, 5e6));
    await rig.machine.resume();
    await rig.advance('25ms');
    expect(rig.guestState).toEqual(await goldenRun(tasks, 30e6));
  });

  it('publishes every page fault, with the page frames', async () => {
    const { rig, facts, checkpointing } = await start();
    await rig.advance('5ms');
    expect(facts).toEqual([]);
    await checkpointing.checkpoint({ preSave: 'none' });
    await rig.advance('5ms');
    const { closed } = await checkpointing.checkpoint({ preSave: 'none' });
    expect(facts.length).toBeGreaterThan(0);
    expect(rig.events('EVT_PAGEFAULT')).toEqual(facts);
    expect(Uint32Array.from(facts.flatMap(({ frames }) => [...frames])).toSorted()).toEqual(closed?.updated);
  });

  it('says when the log area is full', async () => {
    const { rig, checkpointing } = await start({ logPages: 2 });
    await rig.advance('5ms');
    await checkpointing.checkpoint({ preSave: 'none' });
    await rig.advance('20ms');
    expect(rig.events('EVT_LOGLOST')).toMatchObject([
      { source: '@rmk/pin-ptable', reason: expect.stringContaining('the log area of 2 pages is full') },
    ]);
  });

  it('reads and writes memory; a write counts as one of the guest', async () => {
    const { rig, facts, pageTable, checkpointing } = await start();
    expect(pageTable.memoryPages).toBe(rig.machine.memoryPages);
    const lastFrame = pageTable.memoryPages - 1;
    const address = RAM_BASE + lastFrame * PAGE_BYTES;
    await checkpointing.checkpoint({ preSave: 'none' });
    await pageTable.write(address, Uint8Array.of(1, 2, 3));
    expect(await rig.machine.read(address, 4)).toEqual(Uint8Array.of(1, 2, 3, 0));
    expect(await pageTable.read(address + 1, 2)).toEqual(Uint8Array.of(2, 3));
    expect(facts.map(({ frames }) => frames)).toEqual([Uint32Array.of(lastFrame)]);
    await expect(pageTable.read(0, 4)).rejects.toMatchObject({ code: 'RMK_ERR_ADDRESS' });
  });
});
