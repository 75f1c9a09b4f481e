import { PAGE_BYTES, type Nanoseconds } from '@rmk/core';
import type { DrawnFault } from '../fault/faultKind.js';
import type { GoldenTrack } from '../golden/goldenTrack.js';
import type { Difference, ExperimentMachine, Lone, Snapshot } from './experimentMachine.js';
import type { Fate } from './outcome.js';

/** Called at each point of the grid that the run reaches. True ends it. */
export type AtGridPoint = (equal: boolean, difference: () => Difference) => boolean;

/** How a run was left. */
export interface Left {
  readonly how: 'stopped' | 'ended' | 'stuck' | 'timeout';
  readonly fate: Fate;
}

/** Runs a VM beside the golden run until `atGridPoint` ends it, the guest ends, nothing goes on, or a timeout. */
export async function followGolden<S extends Snapshot>(
  lone: Lone<S>,
  golden: GoldenTrack<S>,
  timeoutNs: Nanoseconds,
  atGridPoint: AtGridPoint,
): Promise<Left> {
  const { machine } = lone;
  const lastNs = golden.endNs + timeoutNs;
  // Each rollback lets the guest run again, and a livelock of rollbacks must end too.
  const lastDomainNs = machine.clock.now() + 2 * lastNs;
  for (;;) {
    const fromNs = machine.clock.now();
    const targetNs = Math.min(golden.gridPointAfter(machine.guestNs), lastNs);
    await lone.run({ untilNs: fromNs + Math.max(0, targetNs - machine.guestNs) });
    if (machine.exitCode !== undefined) return { how: 'ended', fate: fateAtEnd(machine, golden) };
    const snapshot = golden.at(machine.guestNs);
    if (snapshot !== undefined) {
      const equal = golden.isOutput(machine.committedOutput) && machine.equals(snapshot);
      if (atGridPoint(equal, () => machine.differenceFrom(snapshot)))
        return { how: 'stopped', fate: equal ? 'right' : 'hang' };
    }
    if (machine.clock.now() === fromNs) return { how: 'stuck', fate: 'hang' };
    if (machine.guestNs >= lastNs || machine.clock.now() >= lastDomainNs)
      return { how: 'timeout', fate: 'hang' };
  }
}

function fateAtEnd<S extends Snapshot>(machine: ExperimentMachine<S>, golden: GoldenTrack<S>): Fate {
  if (machine.exitCode !== golden.end.exitCode) return 'failed';
  if (Buffer.compare(machine.committedOutput, golden.output) !== 0) return 'wrong-result';
  return 'right';
}

/** What a fault flips. */
export interface FlippedPlace {
  readonly register: string | undefined;
  /** Page frame. */
  readonly frame: number | undefined;
}

export function placeOf({ register, address }: DrawnFault, ramBase: number): FlippedPlace {
  const frame = address === undefined ? undefined : Math.floor((address - ramBase) / PAGE_BYTES);
  return { register, frame };
}

/** Whether nothing but the flipped place differs. */
export function isOnlyAt(
  { frames, registers, other }: Difference,
  { register, frame }: FlippedPlace,
): boolean {
  if (other) return false;
  return registers.every((name) => name === register) && frames.every((each) => each === frame);
}
