import { END, stateDifferences, type GuestState } from '@rmk/campaign';
import type { GoldenStates } from './guestSpec.js';
import { lastRecovery, type Incident } from './incident.js';
import type { ProtectedRun } from './protectedRun.js';

/** A condition of the verdict *pass*. */
export interface Check {
  readonly guest: string;
  readonly what: string;
  readonly holds: boolean;
  /** What was found instead; undefined if the check holds. */
  readonly found?: string;
}

/** Every fault that is to be injected into a guest. */
function expectedFaults(hasTasks: boolean): readonly string[] {
  return ['crash', 'bit flip', 'hang', ...(hasTasks ? ['task loop'] : [])];
}

/** What the incidents of a run, and its end, must satisfy against an undisturbed run without RMK. */
export function checksOf(run: ProtectedRun, golden: GoldenStates, hasTasks: boolean): readonly Check[] {
  const { guest, incidents, problem } = run;
  const injected = incidents.map(({ fault }) => fault).join(', ');
  return [
    check(
      guest,
      'every fault was injected and detected',
      injected === expectedFaults(hasTasks).join(', ') && problem === undefined,
      () => `${injected || 'none'}${problem === undefined ? '' : `; ${problem}`}`,
    ),
    ...incidents.flatMap((incident) => checksOfIncident(incident, golden)),
    check(
      guest,
      'every recovery belongs to an incident',
      run.recoveries === sum(incidents.map(({ recoveries }) => recoveries.length)),
      () => `${run.recoveries} recoveries in all`,
    ),
    ...checksOfEnd(run, golden.get(END)),
  ];
}

/** An undisturbed run under protection must be the same to the guest as one without. */
export function checksOfUndisturbed(
  run: ProtectedRun,
  golden: GoldenStates,
  algorithm: string,
): readonly Check[] {
  const { guest, recoveries } = run;
  return [
    ...checksOfEnd(run, golden.get(END)),
    check(guest, 'nothing was recovered', recoveries === 0, () => `${recoveries} recoveries`),
  ].map((one) => ({ ...one, what: `${one.what} (undisturbed, ${algorithm})` }));
}

function checksOfIncident(incident: Incident, golden: GoldenStates): readonly Check[] {
  const { guest, fault, injectedAtNs, restored } = incident;
  const { recoveries } = incident;
  const restarts = recoveries.filter(({ rung }) => rung === 'restart').length;
  const target = lastRecovery(incident)?.checkpoint;
  return [
    check(
      guest,
      `${fault}: solved by rollback`,
      recoveries.length > 0 && restarts === 0,
      () => `${restarts} restarts in ${recoveries.length} recoveries`,
    ),
    check(
      guest,
      `${fault}: not to the checkpoint taken at boot`,
      target?.origin !== 'first' && restored.guestNs > 0,
      () => 'it was the one taken at boot',
    ),
    check(
      guest,
      `${fault}: to a checkpoint taken before the injection`,
      target !== undefined && target.takenAtNs <= injectedAtNs,
      () => `taken at ${target?.takenAtNs ?? '-'} ns, injected at ${injectedAtNs} ns`,
    ),
    check(
      guest,
      `${fault}: restored to a state of the golden run`,
      differences(restored, golden.get(restored.guestNs)) === '',
      () => differences(restored, golden.get(restored.guestNs)),
    ),
  ];
}

function checksOfEnd(
  { guest, end, undoneNs, unexpected }: ProtectedRun,
  golden: GuestState | undefined,
): readonly Check[] {
  const { state } = end;
  const lostNs = end.domainNs - (golden?.guestNs ?? 0);
  // What has a check of its own is taken as equal.
  const rest = { ...state, exitCode: golden?.exitCode, output: golden?.output ?? '' };
  return [
    check(guest, 'no unexpected events of RMK', unexpected.length === 0, () => unexpected.join('; ')),
    check(
      guest,
      'exit code',
      state.exitCode === 0 && golden?.exitCode === 0,
      () => `${state.exitCode ?? 'none'}`,
    ),
    check(
      guest,
      'committed output',
      state.output === golden?.output,
      () => `${state.output.length} characters, the golden run ${golden?.output.length ?? 0}`,
    ),
    check(
      guest,
      'memory, registers, devices, guest time and instructions',
      differences(rest, golden) === '',
      () => differences(rest, golden),
    ),
    check(
      guest,
      'domain time is longer by exactly the work lost',
      lostNs === undoneNs,
      () => `longer by ${lostNs} ns, ${undoneNs} ns of work lost`,
    ),
  ];
}

function differences(state: GuestState, golden: GuestState | undefined): string {
  if (golden === undefined) return 'the golden run has no such state';
  return stateDifferences(state, golden).join(', ');
}

function check(guest: string, what: string, holds: boolean, found: () => string): Check {
  return { guest, what, holds, ...(holds ? {} : { found: found() }) };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
