import { CHECKPOINTS, P_PTABLE, PAGE_BYTES, RmkError, type Checkpoint } from '@rmk/core';
import { RAM_BASE } from '@rmk/hypervisor-embedded';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { GuestState } from '@rmk/campaign';
import type { Rig } from '../../rig.js';
import type { RigGuest } from '../../rigGuest.js';

const MEBIBYTE = 1 << 20;
/** Small, so that its state can be taken often. */
export const GUEST = { guest: 'tasks', machine: { memoryBytes: 2 * MEBIBYTE } } as const satisfies RigGuest;
export const RETAIN = 4;
/** Pages at the end of the memory, of which the guest has none. */
const WINDOW_PAGES = 16;
const WINDOW_ADDRESS = RAM_BASE + GUEST.machine.memoryBytes - WINDOW_PAGES * PAGE_BYTES;

/** Notes the state of the guest at each checkpoint, by the checkpoint. */
export function noteStates(rig: Rig): (of: Checkpoint) => GuestState {
  const states = new Map<Checkpoint, GuestState>();
  rig.domain.bus.on('EVT_CHECKPOINTED', ({ checkpoint: taken }) => void states.set(taken, rig.guestState));
  rig.domain.bus.on('EVT_ROLLEDBACK', ({ to, rollback }) => {
    const state = states.get(to);
    if (state !== undefined) states.set(rollback.reopened, state);
  });
  return (of) => {
    const state = states.get(of);
    if (state !== undefined) return state;
    throw new RmkError('RMK_ERR_STATE', `no state was noted for the checkpoint of ${of.takenAtNs} ns`);
  };
}

/** Back to the retained checkpoint of this age (0 is the newest), and compares. */
export async function rollBack(
  rig: Rig,
  age: number,
  stateAt: (of: Checkpoint) => GuestState,
): Promise<void> {
  const checkpoints = rig.domain.get(CHECKPOINTS);
  const to = checkpoints.retained.at(Math.min(age, checkpoints.retained.length - 1));
  if (to === undefined) throw new RmkError('RMK_ERR_UNPROTECTED', `nothing is retained:\n${rig.timeline()}`);
  const expected = stateAt(to);
  await rig.rollBack(to);
  expect(rig.guestState).toEqual(expected);
}

type Step =
  | { readonly do: 'advance'; readonly us: number }
  | { readonly do: 'write'; readonly at: number; readonly bytes: number }
  | { readonly do: 'take' }
  | { readonly do: 'rollback'; readonly age: number };

/** What can happen between two checkpoints that are compared. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('advance' as const), us: fc.integer({ min: 1, max: 9000 }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('write' as const),
        at: fc.nat(WINDOW_PAGES * PAGE_BYTES - 1),
        bytes: fc.oneof(fc.nat(16), fc.nat(3 * PAGE_BYTES)),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('rollback' as const), age: fc.nat(RETAIN - 1) }) },
  ),
  { minLength: 4, maxLength: 16 },
);

export async function walk(
  rig: Rig,
  all: readonly Step[],
  stateAt: (of: Checkpoint) => GuestState,
): Promise<void> {
  let written = 0;
  for (const step of all) {
    switch (step.do) {
      case 'advance':
        await rig.advance(`${step.us}us`);
        break;
      case 'write': {
        const bytes = Math.min(step.bytes, WINDOW_PAGES * PAGE_BYTES - step.at);
        await rig.domain.get(P_PTABLE).write(WINDOW_ADDRESS + step.at, new Uint8Array(bytes).fill(++written));
        break;
      }
      case 'take':
        await rig.domain.get(CHECKPOINTS).take();
        break;
      case 'rollback':
        await rollBack(rig, step.age, stateAt);
    }
  }
}
