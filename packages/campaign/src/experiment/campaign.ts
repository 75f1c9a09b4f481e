import { nanoseconds, RmkError, type Bus, type Nanoseconds } from '@rmk/core';
import type { DrawnFault, FaultSpace } from '../fault/faultKind.js';
import { GoldenTrack } from '../golden/goldenTrack.js';
import {
  drawExperiment,
  windowOf,
  type DrawnExperiment,
  type History,
  type Window,
} from './drawnExperiment.js';
import type { Experiment } from './experiment.js';
import type { GuestUnderTest, Lone, Snapshot } from './experimentMachine.js';
import type { ExperimentRecord, Proof } from './experimentRecord.js';
import { firstDifference, type FirstDifference } from './firstDifference.js';
import { followGolden, isOnlyAt, placeOf, type Left } from './followGolden.js';
import { historyOf, isReady, spaceOf } from './guestFacts.js';
import { Observation } from './observation.js';
import { outcomeOf, type Fate } from './outcome.js';

/** For {@link Campaign.run}: looks at everything that happens in the domain of the protected run. */
export interface Trace {
  observe(bus: Bus): void;
  /** The experiment is over; what comes is the end of the domain. */
  over?(): void;
}

/** Runs the experiments of one campaign, in any order and each on its own. */
export class Campaign<S extends Snapshot> {
  private constructor(
    private readonly guest: GuestUnderTest<S>,
    private readonly experiment: Experiment,
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

  /** Runs experiment `number`. Its record, but for `host`, depends on nothing but the experiment and the number. */
  async run(number: number, trace?: Trace): Promise<ExperimentRecord> {
    const startedAt = performance.now();
    const drawn = this.draw(number);
    const plain = await this.injectedAt(drawn);
    try {
      const recorded = await this.observe(number, drawn, plain, trace);
      const ms = Math.round(performance.now() - startedAt);
      return { ...recorded, host: { ...recorded.host, ms } };
    } finally {
      await plain.lone.close();
    }
  }

  /** Where experiment `number`, without recovery, first differs from the golden run in more than the flipped place. */
  firstDifference(number: number): Promise<FirstDifference | undefined> {
    const drawn = this.draw(number);
    return firstDifference(this.guest, this.golden, drawn.fault, drawn.injectAtGuestNs, (lone) =>
      this.inject(drawn, lone),
    );
  }

  /** The run without recovery, up to the first use of a flipped register. */
  private async injectedAt(drawn: DrawnExperiment): Promise<PlainRun<S>> {
    const lone = this.startAt(drawn.injectAtGuestNs);
    const { machine } = lone;
    await lone.run({ untilNs: drawn.injectAtGuestNs - machine.guestNs });
    await this.inject(drawn, lone);
    const { guestNs, instructions } = machine;
    const { register } = drawn.fault;
    const use =
      register === undefined ? undefined : machine.firstUseOf(register, this.experiment.traceInstructions);
    return {
      lone,
      injected: { guestNs, instructions, phaseNs: drawn.phaseNs },
      ...(use === undefined
        ? {}
        : { firstUse: { how: use, afterInstructions: machine.instructions - instructions } }),
    };
  }

  private async observe(
    number: number,
    drawn: DrawnExperiment,
    plain: PlainRun<S>,
    trace: Trace | undefined,
  ): Promise<ExperimentRecord> {
    const { fault, isControl } = drawn;
    const { injected, firstUse } = plain;
    const base = { number, fault: fault.kind, place: fault.place, what: fault.what, injected };
    const withUse = firstUse === undefined ? base : { ...base, firstUse };
    // The state is the golden run's again, and RMK has seen nothing else: there is nothing to run.
    if (firstUse?.how === 'overwritten' && !isControl && trace === undefined)
      return {
        ...withUse,
        detections: 0,
        recoveries: [],
        outcome: 'not-activated',
        proof: 'overwritten',
        end: 'right',
        twin: 'right',
        watchedNs: 0,
        unexpected: [],
        host: { ms: 0, recoveryNs: [] },
      };
    const { observation, left, proof, differsAtGuestNs, watchedNs, control } = await this.protectedRun(
      drawn,
      trace,
    );
    const twin = observation.detections === 0 ? left.fate : await this.twinFate(plain, fault);
    const activated =
      observation.detections > 0 ||
      differsAtGuestNs !== undefined ||
      (fault.register === undefined ? fault.address === undefined : firstUse?.how === 'read');
    return {
      ...withUse,
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

  private async protectedRun(drawn: DrawnExperiment, trace: Trace | undefined): Promise<ProtectedRun> {
    const { fault, isControl, protectAtGuestNs, injectAtGuestNs } = drawn;
    const lone = this.startAt(protectAtGuestNs);
    const { machine } = lone;
    const { golden } = this;
    await lone.run({ untilNs: protectAtGuestNs - machine.guestNs });
    const observation = new Observation(machine, golden.output);
    const output = machine.observe('output', (fact) => observation.output(fact));
    const domain = await this.guest.protect(machine, (bus) => {
      observation.observe(bus);
      trace?.observe(bus);
    });
    try {
      await lone.run({ untilNs: machine.clock.now() + injectAtGuestNs - machine.guestNs });
      // A signal is detected while it is injected.
      observation.injected(machine.clock.now());
      await this.inject(drawn, lone);
      const injectedAtNs = machine.clock.now();
      if (observation.detections === 0) observation.injected(injectedAtNs);
      const place = placeOf(fault, this.guest.ramBase);
      let differsAtGuestNs: Nanoseconds | undefined;
      let proof: Proof = 'timeout';
      let provedEqual = false;
      let detectionsBefore = 0;
      const left = await followGolden(lone, golden, this.experiment.timeoutNs, (equal, difference) => {
        if (observation.gaveUp) return false;
        if (equal) {
          if (!isReady(domain)) return false;
          if (!provedEqual) detectionsBefore = observation.detections;
          provedEqual = true;
          proof = 'equal';
          return !isControl;
        }
        if (observation.detections > 0 || differsAtGuestNs !== undefined) return false;
        if (!isOnlyAt(difference(), place)) differsAtGuestNs = machine.guestNs;
        else if (machine.clock.now() - injectedAtNs >= this.experiment.watchNs) {
          proof = 'dormant';
          return true;
        }
        return false;
      });
      const dormant = left.how === 'stopped' && !provedEqual;
      const fate = dormant ? 'right' : this.strictly(left.fate, observation, lone);
      const agrees =
        fate === 'right' && observation.detections === detectionsBefore && machine.equals(golden.end);
      return {
        observation,
        left: { ...left, fate },
        proof: provedEqual || dormant ? proof : proofOf(left, observation),
        watchedNs: machine.clock.now() - injectedAtNs,
        ...(differsAtGuestNs === undefined ? {} : { differsAtGuestNs }),
        ...(isControl && provedEqual ? { control: agrees ? 'agrees' : 'disagrees' } : {}),
      };
    } finally {
      observation.over();
      trace?.over?.();
      await domain.stop();
      output[Symbol.dispose]();
      await lone.close();
    }
  }

  /** After a recovery nothing less than the golden run's whole state is right. */
  private strictly(fate: Fate, { detections }: Observation, { machine }: Lone<S>): Fate {
    if (fate !== 'right' || detections === 0 || machine.exitCode === undefined) return fate;
    return machine.equals(this.golden.end) ? 'right' : 'wrong-result';
  }

  /** What the guest would have come to without recovery. */
  private async twinFate({ lone }: PlainRun<S>, { register }: DrawnFault): Promise<Fate> {
    const { machine } = lone;
    if (register === undefined && machine.loopsForever()) return 'hang';
    const left = await followGolden(lone, this.golden, this.experiment.timeoutNs, (equal) => {
      return equal || machine.loopsForever();
    });
    return left.fate;
  }

  private startAt(guestNs: Nanoseconds): Lone<S> {
    return this.guest.start(this.golden.before(guestNs));
  }

  private async inject({ fault }: DrawnExperiment, lone: Lone<S>): Promise<void> {
    const { machine } = lone;
    await fault.inject({
      machine,
      symbol: (name) => this.guest.symbol(name) ?? missing(name),
      advance: (by) => lone.run({ untilNs: machine.clock.now() + nanoseconds(by) }),
    });
  }
}

interface PlainRun<S extends Snapshot> {
  readonly lone: Lone<S>;
  readonly injected: ExperimentRecord['injected'];
  readonly firstUse?: ExperimentRecord['firstUse'];
}

interface ProtectedRun {
  readonly observation: Observation;
  readonly left: Left;
  readonly proof: Proof;
  readonly watchedNs: Nanoseconds;
  readonly differsAtGuestNs?: Nanoseconds;
  readonly control?: 'agrees' | 'disagrees';
}

function proofOf({ how }: Left, { gaveUp }: Observation): Proof {
  if (gaveUp) return 'given-up';
  return how === 'ended' ? 'ended' : 'timeout';
}

function missing(name: string): never {
  throw new RmkError('RMK_ERR_UNKNOWN', `the guest has no symbol ${name}; name one that its ELF has`);
}
