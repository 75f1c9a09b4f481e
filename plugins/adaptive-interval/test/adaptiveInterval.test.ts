import { checkpoint } from '@rmk/checkpoint';
import { CHECKPOINTS } from '@rmk/core';
import { cowp } from '@rmk/cowp';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmio } from '@rmk/pin-vmio';
import { goldenRun, startRig, type Rig } from '@rmk/testing';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adaptiveInterval } from '../src/index.js';

const MS = 1e6;
const tasks = { guest: 'tasks' } as const;

function start(long: number, short: number): Promise<Rig> {
  return startRig({
    ...tasks,
    plugins: [
      pinVcpu(),
      pinPtable(),
      pinVmio(),
      checkpoint({ interval: `${long}ms`, retain: 3 }),
      cowp(),
      adaptiveInterval({ underOutput: `${short}ms` }),
    ],
    record: ['EVT_VMOUTPUT'],
  });
}

const checkpointed = (rig: Rig): readonly number[] => rig.events('EVT_CHECKPOINTED').map(({ atNs }) => atNs);

describe('the adaptive interval', () => {
  it('covers output by a checkpoint within the short interval, and leaves the long one alone without output', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 40, max: 120 }),
        fc.integer({ min: 1, max: 30 }),
        async (long, short) => {
          const rig = await start(long, short);
          await rig.advance('500ms');
          const taken = checkpointed(rig);
          const output = rig.events('EVT_VMOUTPUT').map(({ guestNs }) => guestNs);
          expect(output.length).toBeGreaterThan(1);
          const lastNs = taken.at(-1) ?? 0;
          for (const atNs of output.filter((each) => each < lastNs)) {
            const covered = taken.find((each) => each >= atNs) ?? Infinity;
            // Output is reported at the end of a slice, 10 ms at most.
            expect(covered - atNs).toBeLessThanOrEqual((short + 10) * MS);
          }
          for (const [index, atNs] of taken.slice(1).entries()) {
            const beforeNs = taken[index] ?? 0;
            expect(atNs - beforeNs).toBeLessThanOrEqual(long * MS);
            const between = output.some((each) => each > beforeNs - 10 * MS && each <= atNs);
            if (!between) expect(atNs - beforeNs).toBe(long * MS);
          }
          expect(rig.guestState).toEqual(await goldenRun(tasks, rig.machine.guestNs));
          await rig.stop();
        },
      ),
      { numRuns: 4 },
    );
  });

  it('requests nothing for output that a rollback has undone, and nothing without protection', async () => {
    const rig = await start(100, 20);
    await rig.advance('15ms');
    await rig.rollBack(rig.domain.get(CHECKPOINTS).retained[0]?.takenAtNs ?? NaN);
    await rig.domain.remove('@rmk/cowp');
    const before = checkpointed(rig).length;
    await rig.advance('100ms');
    expect(checkpointed(rig)).toHaveLength(before);
    expect(rig).not.toHaveFaulted();
  });
});
