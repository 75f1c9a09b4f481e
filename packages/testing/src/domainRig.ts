import {
  CHECKPOINTS,
  messageOf,
  nanoseconds,
  P_VCPU,
  RmkError,
  type Bus,
  type Checkpoint,
  type Domain,
  type Duration,
  type EventName,
  type Nanoseconds,
  type Plugin,
  type RmkEvent,
  type VirtualMachine,
} from '@rmk/core';
import { authorFrames, createDomain, type DomainOptions } from '@rmk/kernel';
import { expect } from 'vitest';
import type { EventHistory, Recorded } from './eventHistory.js';
import { HoldWatch } from './heldVm.js';
import { LeakWatch } from './leakWatch.js';
import { rmkMatchers } from './matchers.js';
import { Recorder, RECORDED } from './recorder.js';
import { stopAfterTest } from './stopAfterTest.js';

// Whoever has a rig has the matchers.
expect.extend(rmkMatchers);

/** Below the 10 s that vitest gives a hook, so that the author reads which plugin does not stop. */
const STOP_TIMEOUT: Duration = '4s';
/** The stop timeout comes on top. */
const HELD_TIMEOUT_MS = 2000;

/** Options of every rig. */
export interface DomainRigOptions {
  readonly plugins: readonly Plugin[];
  readonly onFailure?: DomainOptions['onFailure'];
  /** Of the test's own, besides those of core and of the plugins. */
  readonly events?: DomainOptions['events'];
  readonly supervision?: DomainOptions['supervision'];
  readonly timeouts?: DomainOptions['timeouts'];
  /** `'expected'` where plugins are meant to throw; otherwise each EVT_PLUGINFAULT fails the test. */
  readonly faults?: 'expected';
  /** `'expected'` where plugins are meant to leave something behind; otherwise that fails the test. */
  readonly leaks?: 'expected';
  /** Events to record besides those of `RECORDED`. */
  readonly record?: readonly EventName[];
  /** Called before the first plugin starts. */
  readonly observe?: (bus: Bus) => void;
}

/** A domain, the record of its events, and the watch over what it takes of its VM. */
export class WatchedDomain {
  /** As the kernel made it; what is installed through it is remembered. */
  readonly domain: Domain;
  private readonly plugins: Plugin[];

  private constructor(
    domain: Domain,
    readonly recorder: Recorder,
    readonly hold: HoldWatch,
    private readonly watch: LeakWatch,
    private readonly options: DomainRigOptions,
  ) {
    this.plugins = [...options.plugins];
    this.domain = rememberingInstalls(domain, this.plugins);
  }

  /** Throws what `createDomain` throws. */
  static async create(machine: VirtualMachine, options: DomainRigOptions): Promise<WatchedDomain> {
    const recorder = new Recorder([...new Set([...RECORDED, ...(options.record ?? [])])]);
    const watch = new LeakWatch(machine);
    const hold = new HoldWatch(machine);
    const domain = await createDomain({
      name: machine.name,
      machine: watch.machine,
      plugins: options.plugins,
      ...(options.onFailure === undefined ? {} : { onFailure: options.onFailure }),
      ...(options.events === undefined ? {} : { events: options.events }),
      ...(options.supervision === undefined ? {} : { supervision: options.supervision }),
      timeouts: { stop: STOP_TIMEOUT, ...options.timeouts },
      observe: (bus) => {
        recorder.observe(bus);
        hold.observe(bus);
        options.observe?.(bus);
      },
    });
    return new WatchedDomain(domain, recorder, hold, watch, options);
  }

  /** Stops the domain, and returns everything that is wrong then. */
  async stop(): Promise<readonly RigProblem[]> {
    const checksLeaks = this.options.leaks !== 'expected';
    const { stop = STOP_TIMEOUT } = this.options.timeouts ?? {};
    const held = checksLeaks
      ? await this.watch.heldFor(Math.min(HELD_TIMEOUT_MS, nanoseconds(stop) / 1e6))
      : undefined;
    const failures = await this.stopDomain();
    const leaks = checksLeaks ? await this.watch.leaks(this.plugins) : [];
    // A failure names the plugin that holds the VM.
    const messages = held !== undefined && failures.length === 0 ? [...leaks, held] : leaks;
    return [...failures, ...messages.map((message) => ({ message })), ...this.unexpectedFaults()];
  }

  private async stopDomain(): Promise<readonly RigProblem[]> {
    try {
      await this.domain.stop();
      return [];
    } catch (cause) {
      return [{ message: messageOf(cause), cause }];
    }
  }

  private unexpectedFaults(): readonly RigProblem[] {
    if (this.options.faults === 'expected') return [];
    return this.recorder.events('EVT_PLUGINFAULT').map(({ plugin, during, error }) => ({
      message:
        `${plugin} had a fault in ${during}: ${messageOf(error)}${placeText(error)} ` +
        "(if it is meant to, give the rig `faults: 'expected'`)",
      cause: error,
    }));
  }
}

/** Something that makes the test of a rig fail. */
interface RigProblem {
  readonly message: string;
  readonly cause?: unknown;
}

function placeText(error: unknown): string {
  const [innermost] = authorFrames(error);
  return innermost === undefined ? '' : ` at ${innermost.place}`;
}

/** One error for all problems, with the stack of the first author's code that failed: test runners show that place. */
function failureOf(problems: readonly RigProblem[]): Error {
  const causes = problems.flatMap(({ cause }) => (cause === undefined ? [] : [cause]));
  const [cause] = causes;
  const failure = new Error(
    problems.map(({ message }) => message).join('\n'),
    cause === undefined ? undefined : { cause },
  );
  const frames = causes.map(authorFrames).find(({ length }) => length > 0);
  if (frames !== undefined) {
    const lines = frames.map(
      ({ name, place }) => `    at ${name === undefined ? place : `${name} (${place})`}`,
    );
    failure.stack = `Error: ${failure.message}\n${lines.join('\n')}`;
  }
  return failure;
}

function takenAt(atNs: Nanoseconds, retained: readonly Checkpoint[]): Checkpoint {
  const found = retained.find(({ takenAtNs }) => takenAtNs === atNs);
  if (found !== undefined) return found;
  const times = retained.map(({ takenAtNs }) => takenAtNs).join(', ');
  throw new RmkError(
    'RMK_ERR_UNPROTECTED',
    `rollBack: no retained checkpoint was taken at ${atNs} ns. Those retained were taken at (ns): ${times || 'none'}.`,
  );
}

function rememberingInstalls(domain: Domain, plugins: Plugin[]): Domain {
  const install: Domain['install'] = (plugin, how) => {
    plugins.push(plugin);
    return domain.install(plugin, how);
  };
  return new Proxy(domain, {
    get(_, property) {
      if (property === 'install') return install;
      const value: unknown = Reflect.get(domain, property, domain);
      return typeof value === 'function' ? (value.bind(domain) as unknown) : value;
    },
  });
}

/** What all rigs have in common: a domain on a VM in virtual time, and a record of its events. */
export abstract class DomainRig<Machine extends VirtualMachine> implements EventHistory, AsyncDisposable {
  private stopped = false;

  constructor(
    readonly machine: Machine,
    private readonly watched: WatchedDomain,
  ) {
    stopAfterTest(this);
  }

  get domain(): Domain {
    return this.watched.domain;
  }

  get nowNs(): Nanoseconds {
    return this.machine.clock.now();
  }

  /** All recorded events, in the order of their delivery. */
  get recorded(): readonly Recorded[] {
    return this.watched.recorder.recorded;
  }

  /** The recorded events of one name, oldest first. `RMK_ERR_INPUT` where that one is not recorded. */
  events<E extends EventName>(name: E): readonly RmkEvent<E>[] {
    return this.watched.recorder.events(name);
  }

  /** A line for each recorded event, in the order of their delivery; long runs of ordinary ones are folded. */
  timeline(): string {
    return this.watched.recorder.timeline();
  }

  /**
   * Rolls the VM back to a retained checkpoint, or to the newest one taken at this domain time, and resumes it, as a
   * recovery does. Throws RMK_ERR_UNPROTECTED if none of that time is retained.
   */
  async rollBack(to: Checkpoint | Nanoseconds): Promise<void> {
    const checkpoints = this.domain.get(CHECKPOINTS);
    const vcpu = this.domain.get(P_VCPU);
    const target = typeof to === 'number' ? takenAt(to, checkpoints.retained) : to;
    const suspension = await vcpu.suspend();
    await checkpoints.rollback(target);
    await vcpu.resume(suspension);
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  /**
   * Stops the domain and closes the VM. Throws if a plugin failed to stop, left something behind on the VM, or had a
   * fault that was not expected. Within a test of vitest this is called by itself; a second call does nothing.
   */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    const problems = await this.watched.stop();
    await this.machine.close();
    if (problems.length > 0) throw failureOf(problems);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Settles as `run` does, or throws RMK_ERR_TIMEOUT that names the handler which holds the VM for too long. */
  protected watchHold(run: Promise<void>): Promise<void> {
    return this.watched.hold.during(run);
  }
}
