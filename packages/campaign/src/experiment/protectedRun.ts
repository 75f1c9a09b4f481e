import type { Bus, Nanoseconds } from '@rmk/core';
import type { Injected } from '../fault/faultKind.js';
import type { GoldenTrack } from '../golden/goldenTrack.js';
import type { DrawnExperiment } from './drawnExperiment.js';
import type { Experiment } from './experiment.js';
import type { GuestUnderTest, Lone, Snapshot } from './experimentMachine.js';
import type { ExperimentRecord, Proof } from './experimentRecord.js';
import { followGolden, isOnlyAt, placeOf, type FlippedPlace, type Left } from './followGolden.js';
import { isReady } from './guestFacts.js';
import { injectInto, raisePrimary } from './injection.js';
import { Observation } from './observation.js';
import type { Fate } from './outcome.js';
import { WatchedMachine } from './protectionTarget.js';

/** For `Campaign.run`: looks at everything that happens in the domain of the protected run. */
export interface Trace {
  observe(bus: Bus): void;
  /** The experiment is over; what comes is the end of the domain. */
  over?(): void;
}

/** What all runs of a campaign have in common. */
export interface Setting<S extends Snapshot> {
  readonly guest: GuestUnderTest<S>;
  readonly experiment: Experiment;
  readonly golden: GoldenTrack<S>;
}

/** What the run with recovery came to. */
export interface ProtectedRun {
  readonly observation: Observation;
  readonly left: Left;
  readonly proof: Proof;
  readonly watchedNs: Nanoseconds;
  readonly differsAtGuestNs?: Nanoseconds;
  readonly control?: 'agrees' | 'disagrees';
  /** Where the fault was injected. Undefined if its trigger never came, or it found nothing to damage. */
  readonly at?: Omit<ExperimentRecord['injected'], 'phaseNs'>;
  /** Of a fault that reports it. */
  readonly hasActed?: boolean;
}

/** Runs the guest under its protection, injects the fault, and follows it until its end is known. */
export async function protectedRun<S extends Snapshot>(
  setting: Setting<S>,
  drawn: DrawnExperiment,
  trace: Trace | undefined,
): Promise<ProtectedRun> {
  const { guest, golden, experiment } = setting;
  const { fault, isControl, protectAtGuestNs, injectAtGuestNs } = drawn;
  const lone = guest.start(golden.before(protectAtGuestNs));
  const { machine } = lone;
  await lone.run({ untilNs: protectAtGuestNs - machine.guestNs });
  const observation = new Observation(machine, golden.output);
  const output = machine.observe('output', (fact) => observation.output(fact));
  const watched = new WatchedMachine(machine);
  const domain = await guest.protect(watched.face, (bus) => {
    observation.observe(bus);
    trace?.observe(bus);
  });
  let injected: Injected | undefined;
  let at: ProtectedRun['at'];
  let failed: { readonly error: unknown } | undefined;
  let isDue = false;
  let isHarmless = false;
  let injectedAtNs: Nanoseconds | undefined;
  const inject = async (advances: boolean): Promise<void> => {
    if (isDue) return;
    isDue = true;
    const before = { guestNs: machine.guestNs, instructions: machine.instructions };
    // A signal is detected while it is injected.
    if (observation.detections === 0) observation.injected(machine.clock.now());
    if ((await fault.harm(watched.targetIn(domain))) === false) {
      isHarmless = true;
      return;
    }
    injected = (await injectInto(guest, drawn, lone, advances)) ?? undefined;
    at = before;
    injectedAtNs = machine.clock.now();
    if (observation.detections === 0) observation.injected(injectedAtNs);
  };
  // RMK would take the error for one of its own, and continue.
  const injectHeld = (): Promise<void> => inject(false).catch((error: unknown) => void (failed = { error }));
  try {
    await lone.run({ untilNs: machine.clock.now() + injectAtGuestNs - machine.guestNs });
    const { trigger } = fault;
    observation.injected(machine.clock.now());
    if (trigger?.arm === undefined) await inject(true);
    else {
      trigger.arm(watched.targetIn(domain), injectHeld);
      if (trigger.needsRecovery) await raisePrimary(machine);
    }
    const place = placeOf(fault, guest.ramBase);
    let differsAtGuestNs: Nanoseconds | undefined;
    let proof: Proof = 'timeout';
    let provedEqual = false;
    let detectionsBefore = 0;
    const left = await followGolden(lone, golden, experiment.timeoutNs, (equal, difference) => {
      if (failed !== undefined || isHarmless) return true;
      if (observation.gaveUp) return false;
      if (injectedAtNs === undefined || injected?.isPending === true) return false;
      if (equal) {
        if (!isReady(domain)) return false;
        if (!provedEqual) detectionsBefore = observation.detections;
        provedEqual = true;
        proof = 'equal';
        return !isControl;
      }
      if (observation.detections > 0 || differsAtGuestNs !== undefined) return false;
      if (!isOnlyAt(difference(), place)) differsAtGuestNs = machine.guestNs;
      else if (machine.clock.now() - injectedAtNs >= experiment.watchNs) {
        proof = 'dormant';
        return true;
      }
      return false;
    });
    if (failed !== undefined) throw failed.error;
    const dormant = left.how === 'stopped' && !provedEqual;
    const sticksAt = injected?.isPending === true ? place : undefined;
    const fate = dormant ? 'right' : strictly(left.fate, observation, lone, golden, sticksAt);
    const agrees =
      fate === 'right' && observation.detections === detectionsBefore && machine.equals(golden.end);
    return {
      observation,
      left: { ...left, fate },
      proof: isHarmless
        ? 'not-reached'
        : proofOf(at === undefined, provedEqual || dormant ? proof : undefined, left, observation),
      watchedNs: machine.clock.now() - (injectedAtNs ?? machine.clock.now()),
      ...(differsAtGuestNs === undefined ? {} : { differsAtGuestNs }),
      ...(isControl && provedEqual ? { control: agrees ? 'agrees' : 'disagrees' } : {}),
      ...(at === undefined ? {} : { at }),
      ...(injected === undefined ? {} : { hasActed: injected.hasActed }),
    };
  } finally {
    observation.over();
    trace?.over?.();
    await domain.stop();
    output[Symbol.dispose]();
    injected?.[Symbol.dispose]();
    await lone.close();
  }
}

/** After a recovery nothing less than the golden run's whole state is right, but for a bit that is still stuck. */
function strictly<S extends Snapshot>(
  fate: Fate,
  { detections }: Observation,
  { machine }: Lone<S>,
  { end }: GoldenTrack<S>,
  sticksAt: FlippedPlace | undefined,
): Fate {
  if (fate !== 'right' || detections === 0 || machine.exitCode === undefined) return fate;
  const isRight =
    sticksAt === undefined ? machine.equals(end) : isOnlyAt(machine.differenceFrom(end), sticksAt);
  return isRight ? 'right' : 'wrong-result';
}

function proofOf(
  isNotReached: boolean,
  proved: Proof | undefined,
  { how }: Left,
  { gaveUp, detections }: Observation,
): Proof {
  if (isNotReached && detections === 0) return 'not-reached';
  if (proved !== undefined) return proved;
  if (gaveUp) return 'given-up';
  return how === 'ended' ? 'ended' : 'timeout';
}
