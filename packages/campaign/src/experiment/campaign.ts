import { RmkError, type Nanoseconds } from '@rmk/core';
import type { Injected } from '../fault/faultKind.js';
import type { FaultSpace } from '../fault/injectionTarget.js';
import { GoldenTrack } from '../golden/goldenTrack.js';
import {
  drawExperiment,
  injectedAt,
  windowOf,
  type DrawnExperiment,
  type History,
  type Window,
} from './drawnExperiment.js';
import type { Experiment } from './experiment.js';
import type { GuestUnderTest, Lone, Snapshot } from './experimentMachine.js';
import type { ExperimentRecord, Proof } from './experimentRecord.js';
import { firstDifference, type FirstDifference } from './firstDifference.js';
import { historyOf, spaceOf } from './guestFacts.js';
import { injectInto, targetOf } from './injection.js';
import { outcomeOf } from './outcome.js';
import { plainRun, twinFate, type PlainRun } from './plainRun.js';
import { protectedRun, type ProtectedRun, type Setting, type Trace } from './protectedRun.js';

/** Runs the experiments of one campaign, in any order and each on its own. */
export class Campaign<S extends Snapshot> implements Setting<S> {
  private constructor(
    readonly guest: GuestUnderTest<S>,
    readonly experiment: Experiment,
    readonly golden: GoldenTrack<S>,
    readonly space: FaultSpace,
    readonly history: History,
    private readonly window: Window,
  ) {}

  /**
   * Makes the golden run, unless one of the same guest is given, and checks the faults against it. `RMK_ERR_GOLDEN` if
   * it fails its steady-state check, `RMK_ERR_INPUT` for faults that this guest cannot have.
   */
  static async prepare<S extends Snapshot>(
    guest: GuestUnderTest<S>,
    experiment: Experiment,
    made?: GoldenTrack<S>,
  ): Promise<Campaign<S>> {
    const golden = made ?? (await Campaign.golden(guest, experiment));
    const space = await spaceOf(guest, golden);
    const problems = experiment.faults.flatMap((fault, index) => {
      const message = fault.check(space);
      return message === undefined ? [] : [{ path: `faults[${index}]`, message }];
    });
    if (problems.length > 0)
      throw new RmkError('RMK_ERR_INPUT', `guest ${JSON.stringify(guest.name)} cannot have these faults`, {
        problems,
      });
    const history = await historyOf(guest);
    const window = windowOf(experiment, history, golden.endNs, guest.cycleNs);
    return new Campaign(guest, experiment, golden, space, history, window);
  }

  /** The golden run of the guest. `RMK_ERR_GOLDEN` if it fails its steady-state check. */
  static golden<S extends Snapshot>(
    guest: GuestUnderTest<S>,
    { gridNs, steadyState }: Experiment,
  ): Promise<GoldenTrack<S>> {
    return GoldenTrack.record(guest, gridNs, steadyState);
  }

  /** What experiment `number` injects, and when. */
  draw(number: number): DrawnExperiment {
    return drawExperiment(number, this.experiment, this.space, this.history, this.window);
  }

  /**
   * The moment of experiment `number`, and when its protection starts: where its trigger is due, if that is a place in
   * the guest. `isReached`: false if that never comes.
   */
  async moment(number: number): Promise<DrawnExperiment & { readonly isReached: boolean }> {
    const drawn = this.draw(number);
    const { trigger } = drawn.fault;
    if (trigger?.reach === undefined) return { ...drawn, isReached: true };
    const fromNs = trigger.from(this.golden) ?? drawn.injectAtGuestNs;
    const lone = this.guest.start(this.golden.before(fromNs));
    try {
      const { machine } = lone;
      await lone.run({ untilNs: fromNs - machine.guestNs });
      const isReached = await trigger.reach(targetOf(this.guest, lone));
      const atNs = isReached ? machine.guestNs : drawn.injectAtGuestNs;
      const moment = injectedAt(atNs, drawn, this.history);
      if (moment.protectAtGuestNs < 0) throw tooEarlyError(trigger.name, atNs);
      return { ...moment, isReached: isReached && atNs < this.golden.endNs };
    } finally {
      await lone.close();
    }
  }

  /** Runs experiment `number`. Its record, but for `host`, depends on nothing but the experiment and the number. */
  async run(number: number, trace?: Trace): Promise<ExperimentRecord> {
    const startedAt = performance.now();
    const drawn = await this.moment(number);
    const recorded =
      drawn.fault.trigger?.arm === undefined
        ? this.placed(number, drawn, trace)
        : this.armed(number, drawn, trace);
    const record = await recorded;
    const ms = Math.round(performance.now() - startedAt);
    return { ...record, host: { ...record.host, ms } };
  }

  /**
   * Injects the fault of an experiment into a VM that has come to its moment. A fault that lasts is ended by what this
   * resolves to.
   */
  injectInto(drawn: DrawnExperiment, lone: Lone<S>): Promise<Injected | void> {
    return injectInto(this.guest, drawn, lone);
  }

  /** Where experiment `number`, without recovery, first differs from the golden run in more than the flipped place. */
  async firstDifference(number: number): Promise<FirstDifference | undefined> {
    const drawn = await this.moment(number);
    return firstDifference(this.guest, this.golden, drawn.fault, drawn.injectAtGuestNs, (lone) =>
      injectInto(this.guest, drawn, lone),
    );
  }

  /** An experiment whose moment is known beforehand. */
  private async placed(
    number: number,
    drawn: DrawnExperiment & { readonly isReached: boolean },
    trace: Trace | undefined,
  ): Promise<ExperimentRecord> {
    const plain = await plainRun(this, drawn, drawn.injectAtGuestNs);
    try {
      const base = baseOf(number, drawn, plain);
      if (!drawn.isReached) return { ...base, ...untouched('not-reached') };
      // The state is the golden run's again, and RMK has seen nothing else: there is nothing to run.
      if (plain.firstUse?.how === 'overwritten' && !drawn.isControl && trace === undefined)
        return { ...base, ...untouched('overwritten') };
      const run = await protectedRun(this, drawn, trace);
      if (run.proof === 'not-reached') return { ...base, ...untouched('not-reached') };
      return await this.compared(base, drawn, run, plain);
    } finally {
      plain.injected?.[Symbol.dispose]();
      await plain.lone.close();
    }
  }

  /** An experiment whose moment RMK decides: the run without recovery has the fault where the protected one had it. */
  private async armed(
    number: number,
    drawn: DrawnExperiment,
    trace: Trace | undefined,
  ): Promise<ExperimentRecord> {
    const { trigger } = drawn.fault;
    const run = await protectedRun(this, drawn, trace);
    const atGuestNs = run.at?.guestNs ?? drawn.injectAtGuestNs;
    const plain = await plainRun(this, drawn, trigger?.needsRecovery === true ? undefined : atGuestNs);
    try {
      const base = baseOf(number, drawn, plain);
      if (run.proof === 'not-reached') return { ...base, ...untouched('not-reached') };
      return await this.compared(base, drawn, run, plain);
    } finally {
      plain.injected?.[Symbol.dispose]();
      await plain.lone.close();
    }
  }

  private async compared(
    base: Base,
    { fault }: DrawnExperiment,
    run: ProtectedRun,
    plain: PlainRun<S>,
  ): Promise<ExperimentRecord> {
    const { observation, left, proof, differsAtGuestNs, watchedNs, control, hasActed } = run;
    const twin = observation.detections === 0 ? left.fate : await twinFate(this, plain, fault);
    const activated =
      observation.detections > 0 ||
      differsAtGuestNs !== undefined ||
      (hasActed ??
        (fault.register === undefined ? fault.address === undefined : base.firstUse?.how === 'read'));
    return {
      ...base,
      ...(differsAtGuestNs === undefined ? {} : { differsAtGuestNs }),
      ...(observation.detection === undefined ? {} : { detection: observation.detection }),
      detections: observation.detections,
      recoveries: observation.recoveries,
      outcome: outcomeOf({
        activated,
        detected: observation.detections > 0,
        restarts: observation.restarts,
        end: left.fate,
        wrongWire: observation.wrongWire,
        twin,
      }),
      proof,
      end: left.fate,
      twin,
      watchedNs,
      unexpected: observation.unexpected,
      ...(control === undefined ? {} : { control }),
      host: { ms: 0, recoveryNs: observation.recoveryHostNs },
    };
  }
}

type Base = Pick<
  ExperimentRecord,
  'number' | 'fault' | 'trigger' | 'place' | 'what' | 'injected' | 'firstUse'
>;

function baseOf<S extends Snapshot>(
  number: number,
  { fault, phaseNs }: DrawnExperiment,
  { at, firstUse }: PlainRun<S>,
): Base {
  const { kind, trigger, place, what } = fault;
  return {
    number,
    fault: kind,
    ...(trigger === undefined ? {} : { trigger: trigger.name }),
    place,
    what,
    injected: { ...at, phaseNs },
    ...(firstUse === undefined ? {} : { firstUse }),
  };
}

function untouched(proof: Proof): Omit<ExperimentRecord, keyof Base> {
  return {
    detections: 0,
    recoveries: [],
    outcome: 'not-activated',
    proof,
    end: 'right',
    twin: 'right',
    watchedNs: 0,
    unexpected: [],
    host: { ms: 0, recoveryNs: [] },
  };
}

function tooEarlyError(trigger: string, atNs: Nanoseconds): RmkError {
  return new RmkError(
    'RMK_ERR_INPUT',
    `the trigger ${trigger} is due at ${atNs / 1e6} ms of guest time, where the history is not full yet. ` +
      'Choose a later one, or shorten the interval.',
  );
}
