import type { Nanoseconds } from '@rmk/core';
import type { Injected } from '../fault/faultKind.js';
import type { DrawnExperiment } from './drawnExperiment.js';
import type { Lone, Snapshot } from './experimentMachine.js';
import type { ExperimentRecord } from './experimentRecord.js';
import { followGolden } from './followGolden.js';
import { injectInto, raisePrimary } from './injection.js';
import type { Fate } from './outcome.js';
import type { Setting } from './protectedRun.js';

/** The run without recovery, after the injection and up to the first use of a flipped register. */
export interface PlainRun<S extends Snapshot> {
  readonly lone: Lone<S>;
  readonly at: Omit<ExperimentRecord['injected'], 'phaseNs'>;
  readonly injected: Injected | undefined;
  readonly firstUse?: ExperimentRecord['firstUse'];
}

/** `atGuestNs`: undefined for an experiment whose fault hits the recovery alone. */
export async function plainRun<S extends Snapshot>(
  { guest, golden, experiment }: Setting<S>,
  drawn: DrawnExperiment,
  atGuestNs: Nanoseconds | undefined,
): Promise<PlainRun<S>> {
  const { fault, injectAtGuestNs } = drawn;
  const untilNs = atGuestNs ?? injectAtGuestNs;
  const lone = guest.start(golden.before(untilNs));
  const { machine } = lone;
  await lone.run({ untilNs: untilNs - machine.guestNs });
  const at = { guestNs: machine.guestNs, instructions: machine.instructions };
  if (atGuestNs === undefined) {
    await raisePrimary(machine);
    return { lone, at, injected: undefined };
  }
  const injected = (await injectInto(guest, drawn, lone)) ?? undefined;
  const after = { guestNs: machine.guestNs, instructions: machine.instructions };
  const { register } = fault;
  if (register === undefined || injected !== undefined) return { lone, at: after, injected };
  const how = machine.firstUseOf(register, experiment.traceInstructions);
  const afterInstructions = machine.instructions - after.instructions;
  return { lone, at: after, injected, firstUse: { how, afterInstructions } };
}

/** What the guest comes to without recovery. */
export async function twinFate<S extends Snapshot>(
  { golden, experiment }: Setting<S>,
  { lone, injected }: PlainRun<S>,
  { register }: { readonly register: string | undefined },
): Promise<Fate> {
  const { machine } = lone;
  const mayChange = (): boolean => injected?.isPending === true;
  if (register === undefined && !mayChange() && machine.loopsForever()) return 'hang';
  const left = await followGolden(lone, golden, experiment.timeoutNs, (equal) => {
    return !mayChange() && (equal || machine.loopsForever());
  });
  return left.fate;
}
