import type { GoldenRun, GuestEnd } from './guestRun.js';
import { lastRecovery, type GuestState, type Incident } from './incident.js';
import type { ProtectedRun } from './protectedRun.js';

/** Something that must hold for the verdict to be *pass*. */
export interface Check {
  readonly guest: string;
  readonly what: string;
  readonly holds: boolean;
  /** What was found instead; absent where the check holds. */
  readonly found?: string;
}

/** Every fault that is to be injected into a guest. */
function expectedFaults(hasTasks: boolean): readonly string[] {
  return ['crash', 'bit flip', 'hang', ...(hasTasks ? ['task loop'] : [])];
}

/** What the incidents of a run, and its end, must satisfy against an undisturbed run without RMK. */
export function checksOf(run: ProtectedRun, golden: GoldenRun, hasTasks: boolean): readonly Check[] {
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
    ...checksOfEnd(run, golden.end),
  ];
}

/** An undisturbed run under protection must be the same to the guest as one without. */
export function checksOfUndisturbed(
  run: ProtectedRun,
  golden: GoldenRun,
  algorithm: string,
): readonly Check[] {
  const { guest, recoveries } = run;
  return [
    ...checksOfEnd(run, golden.end),
    check(guest, 'nothing was recovered', recoveries === 0, () => `${recoveries} recoveries`),
  ].map((one) => ({ ...one, what: `${one.what} (undisturbed, ${algorithm})` }));
}

function checksOfIncident(incident: Incident, golden: GoldenRun): readonly Check[] {
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
      () => 'it was that one',
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
      isSame(restored, golden.states.get(restored.guestNs)),
      () => differences(restored, golden.states.get(restored.guestNs)),
    ),
  ];
}

function checksOfEnd({ guest, end, undoneNs, mishaps }: ProtectedRun, golden: GuestEnd): readonly Check[] {
  const lostNs = end.domainNs - golden.domainNs;
  return [
    check(guest, 'RMK itself never failed', mishaps.length === 0, () => mishaps.join('; ')),
    check(guest, 'exit code', end.exitCode === 0 && golden.exitCode === 0, () => `${end.exitCode ?? 'none'}`),
    check(
      guest,
      'committed output',
      Buffer.compare(end.committedOutput, golden.committedOutput) === 0,
      () => `${end.committedOutput.length} bytes, the golden run ${golden.committedOutput.length}`,
    ),
    check(
      guest,
      'memory, registers, devices, guest time and instructions',
      isSame(end.state, golden.state),
      () => differences(end.state, golden.state),
    ),
    check(
      guest,
      'domain time is longer by exactly the work lost',
      lostNs === undoneNs,
      () => `longer by ${lostNs} ns, ${undoneNs} ns of work lost`,
    ),
  ];
}

function isSame(state: GuestState, golden: GuestState | undefined): boolean {
  return golden !== undefined && differences(state, golden) === '';
}

function differences(state: GuestState, golden: GuestState | undefined): string {
  if (golden === undefined) return 'the golden run was never there';
  return [
    state.guestNs === golden.guestNs ? [] : `guest time ${state.guestNs} ns for ${golden.guestNs} ns`,
    state.instructions === golden.instructions
      ? []
      : `${state.instructions} instructions for ${golden.instructions}`,
    state.digest.memory === golden.digest.memory ? [] : 'another memory',
    state.digest.context === golden.digest.context ? [] : 'another context',
  ]
    .flat()
    .join(', ');
}

function check(guest: string, what: string, holds: boolean, found: () => string): Check {
  return { guest, what, holds, ...(holds ? {} : { found: found() }) };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
