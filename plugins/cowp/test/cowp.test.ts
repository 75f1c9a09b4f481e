import { checkpoint } from '@rmk/checkpoint';
import { CHECKPOINTS, P_VCPU, type EpochReport } from '@rmk/core';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { goldenRun, startRig, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { cowp } from '../src/index.js';

const tasks = { guest: 'tasks' } as const;

function start(options?: Parameters<typeof cowp>[0]): Promise<Rig> {
  return startRig({
    ...tasks,
    plugins: [pinVcpu(), pinPtable(), checkpoint({ interval: '5ms', retain: 4 }), cowp(options)],
  });
}

function epochs(rig: Rig): readonly EpochReport[] {
  return rig.events('EVT_CHECKPOINTED').flatMap(({ closed }) => closed ?? []);
}

/** Page frames that are in both. */
function common(one: Iterable<number>, other: Uint32Array = new Uint32Array(0)): number {
  const frames = new Set(one);
  return other.filter((frame) => frames.has(frame)).length;
}

describe('COWP', () => {
  it('saves ahead exactly the pages written in the last epoch (H_i), beginning with none', async () => {
    const rig = await start();
    await rig.advance('100ms');
    const [first, ...rest] = epochs(rig);
    expect(first).toMatchObject({ pagesPreSaved: 0, preSavedInVain: 0 });
    expect(rest).toHaveLength(18);
    rest.forEach(({ updated, pageFaults, pagesSaved, pagesPreSaved, preSavedInVain }, index) => {
      const expected = epochs(rig)[index]?.updated ?? new Uint32Array(0);
      const foreseen = common(expected, updated);
      expect({ pageFaults, pagesSaved, pagesPreSaved, preSavedInVain }).toEqual({
        pageFaults: updated.length - foreseen,
        pagesSaved: expected.length + updated.length - foreseen,
        pagesPreSaved: expected.length,
        preSavedInVain: expected.length - foreseen,
      });
    });
    expect(rig.guestState).toEqual(await goldenRun(tasks, 100e6));
  });

  it('saves ahead in the first protected epoch what was written since the boot (H_0), also when it is installed late', async () => {
    const rig = await startRig({
      ...tasks,
      plugins: [pinVcpu(), pinPtable(), checkpoint({ interval: '5ms' })],
    });
    await rig.advance('20ms');
    await rig.domain.install(cowp());
    await rig.advance('20ms');
    // A twin that is protected from the boot on shows what was written until then.
    const twin = await start();
    await twin.advance('20ms');
    const written = new Set(epochs(twin).flatMap(({ updated }) => [...updated]));
    const [first] = epochs(rig);
    expect(written.size).toBeGreaterThan(0);
    expect(first).toMatchObject({ openedAtNs: 20e6, pagesPreSaved: written.size });
    expect(first?.pageFaults).toBe((first?.updated.length ?? 0) - common([...written], first?.updated));
    expect(rig.guestState).toEqual(await goldenRun(tasks, 40e6));
  });

  it('saves ahead after a loss of protection what was written since the last checkpoint', async () => {
    const rig = await start();
    await rig.advance('22ms');
    // Without an algorithm there is no protection.
    await rig.domain.remove('@rmk/cowp');
    await rig.advance('1ms');
    await rig.domain.install(cowp());
    await rig.advance('6ms');
    const [again] = epochs(rig).slice(-1);
    expect(again).toMatchObject({ openedAtNs: 23e6 });
    const twin = await start();
    await twin.advance('23ms');
    await twin.domain.get(CHECKPOINTS).take();
    expect(again?.pagesPreSaved).toBe(epochs(twin).at(-1)?.updated.length);
    expect(again?.pagesPreSaved).toBeGreaterThan(0);
  });

  it('saves nothing ahead after a restart: what is loaded for the boot was not written by the guest', async () => {
    const rig = await start();
    await rig.advance('22ms');
    await rig.domain.get(P_VCPU).restart();
    await rig.advance('6ms');
    expect(epochs(rig).at(-1)).toMatchObject({ openedAtNs: 22e6, pagesPreSaved: 0 });
  });

  it('expects after a rollback what the undone epochs had written', async () => {
    const rig = await start();
    await rig.advance('22ms');
    // A twin closes its open epoch at that moment, to tell what was written in it.
    const twin = await start();
    await twin.advance('22ms');
    await twin.domain.get(CHECKPOINTS).take();
    const [, , to] = rig.domain.get(CHECKPOINTS).retained;
    if (to === undefined) throw new Error('too few checkpoints');
    const undone = epochs(twin).filter(({ openedAtNs }) => openedAtNs >= to.takenAtNs);
    expect(undone).toHaveLength(3);
    await rig.rollBack(to);
    await rig.advance('6ms');
    const written = new Set(undone.flatMap(({ updated }) => [...updated]));
    expect(epochs(rig).at(-1)).toMatchObject({ openedAtNs: 22e6, pagesPreSaved: written.size });
    expect(rig.guestState).toEqual(await goldenRun(tasks, rig.machine.guestNs));
  });

  it.each([2, 8, 64])('saves aligned clusters of %i pages at a fault', async (clusterPages) => {
    const rig = await start({ clusterPages });
    await rig.advance('100ms');
    const single = await start();
    await single.advance('100ms');
    const sum = (of: keyof EpochReport & ('pageFaults' | 'pagesSaved'), run: Rig) =>
      epochs(run).reduce((total, report) => total + report[of], 0);
    expect(sum('pageFaults', rig)).toBeLessThan(sum('pageFaults', single));
    expect(sum('pagesSaved', rig)).toBeGreaterThan(sum('pagesSaved', single));
    // What is written does not depend on what is saved.
    expect(epochs(rig).map(({ updated }) => updated)).toEqual(epochs(single).map(({ updated }) => updated));
    expect(rig.guestState).toEqual(single.guestState);
  });

  it('leads back to the state of each retained checkpoint', async () => {
    for (const age of [0, 1, 2, 3]) {
      const rig = await start({ clusterPages: 4 });
      await rig.advance('23ms');
      const to = rig.domain.get(CHECKPOINTS).retained[age];
      if (to === undefined) throw new Error(`no checkpoint of age ${age}`);
      await rig.rollBack(to);
      expect(rig.guestState).toEqual(await goldenRun(tasks, to.takenAtNs));
    }
  });
});
