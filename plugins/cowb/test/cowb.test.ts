import { checkpoint } from '@rmk/checkpoint';
import type { EpochReport } from '@rmk/core';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { goldenRun, startRig, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { cowb } from '../src/index.js';

const tasks = { guest: 'tasks' } as const;

function start(): Promise<Rig> {
  return startRig({
    ...tasks,
    plugins: [pinVcpu(), pinPtable(), checkpoint({ interval: '5ms', retain: 4 }), cowb()],
    record: ['EVT_PAGEFAULT'],
  });
}

function epochs(rig: Rig): readonly EpochReport[] {
  return rig.events('EVT_CHECKPOINTED').flatMap(({ closed }) => closed ?? []);
}

describe('COWB', () => {
  it('saves nothing ahead: each page that is written costs one page fault, and is saved there', async () => {
    const rig = await start();
    await rig.advance('100ms');
    expect(epochs(rig)).toHaveLength(19);
    for (const { updated, pageFaults, pagesSaved, pagesPreSaved, preSavedInVain } of epochs(rig)) {
      expect({ pageFaults, pagesSaved, pagesPreSaved, preSavedInVain }).toEqual({
        pageFaults: updated.length,
        pagesSaved: updated.length,
        pagesPreSaved: 0,
        preSavedInVain: 0,
      });
    }
    expect(epochs(rig).some(({ updated }) => updated.length > 0)).toBe(true);
    expect(rig.guestState).toEqual(await goldenRun(tasks, 100e6));
  });

  it('protects every page again at each checkpoint', async () => {
    const rig = await start();
    await rig.advance('100ms');
    for (const { openedAtNs, closedAtNs, updated } of epochs(rig)) {
      const faulted = rig
        .events('EVT_PAGEFAULT')
        .filter(({ atNs }) => atNs > openedAtNs && atNs <= closedAtNs)
        .flatMap(({ frames }) => [...frames]);
      expect(Uint32Array.from(faulted).toSorted()).toEqual(updated);
    }
  });

  it('ends protection when it is removed and was the only algorithm', async () => {
    const rig = await start();
    await rig.advance('12ms');
    await rig.domain.remove('@rmk/cowb');
    expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([{ atNs: 12e6 }]);
    await rig.advance('20ms');
    expect(rig.events('EVT_CHECKPOINTED')).toHaveLength(3);
  });
});
