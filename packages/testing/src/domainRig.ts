import {
  messageOf,
  type Bus,
  type Domain,
  type EventName,
  type Nanoseconds,
  type Plugin,
  type RmkEvent,
  type VirtualMachine,
} from '@rmk/core';
import { createDomain, type DomainOptions } from '@rmk/kernel';
import { expect, onTestFinished } from 'vitest';
import type { EventHistory, Recorded } from './eventHistory.js';
import { LeakWatch } from './leakWatch.js';
import { rmkMatchers } from './matchers.js';
import { Recorder, RECORDED } from './recorder.js';

// Whoever has a rig has the matchers.
expect.extend(rmkMatchers);

/** What every rig can be told. */
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

/** A domain, what was told in it, and the watch over what it takes of its VM. */
export class WatchedDomain {
  /** As the kernel made it; what is installed through it is remembered. */
  readonly domain: Domain;
  private readonly plugins: Plugin[];

  private constructor(
    domain: Domain,
    readonly recorder: Recorder,
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
    const domain = await createDomain({
      name: machine.name,
      machine: watch.machine,
      plugins: options.plugins,
      ...(options.onFailure === undefined ? {} : { onFailure: options.onFailure }),
      ...(options.events === undefined ? {} : { events: options.events }),
      ...(options.supervision === undefined ? {} : { supervision: options.supervision }),
      ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts }),
      observe: (bus) => {
        recorder.observe(bus);
        options.observe?.(bus);
      },
    });
    return new WatchedDomain(domain, recorder, watch, options);
  }

  /** Stops the domain, and gives all that is wrong then. */
  async stop(): Promise<readonly string[]> {
    const failures = await this.stopDomain();
    const leaks = this.options.leaks === 'expected' ? [] : await this.watch.leaks(this.plugins);
    return [...failures, ...leaks, ...this.unexpectedFaults()];
  }

  private async stopDomain(): Promise<readonly string[]> {
    try {
      await this.domain.stop();
      return [];
    } catch (error) {
      return [messageOf(error)];
    }
  }

  private unexpectedFaults(): readonly string[] {
    if (this.options.faults === 'expected') return [];
    return this.recorder
      .events('EVT_PLUGINFAULT')
      .map(
        ({ plugin, during, error }) =>
          `${plugin} had a fault in ${during}: ${messageOf(error)} (where it is meant to, give the rig \`faults: 'expected'\`)`,
      );
  }
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
export abstract class DomainRig<Machine extends VirtualMachine> implements EventHistory {
  private stopped = false;

  constructor(
    readonly machine: Machine,
    private readonly watched: WatchedDomain,
  ) {
    onTestFinished(() => this.stop());
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
   * Stops the domain and closes the VM. Throws where a plugin failed to stop, left something behind on the VM, or had a
   * fault that was not expected. The test that made the rig need not call it; a second call does nothing.
   */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    const problems = await this.watched.stop();
    await this.machine.close();
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }
}
