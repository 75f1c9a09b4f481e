import {
  messageOf,
  nanoseconds,
  type Bus,
  type Domain,
  type Duration,
  type EventName,
  type Nanoseconds,
  type Plugin,
  type RmkEvent,
} from '@rmk/core';
import { EmbeddedHypervisor, type EmbeddedMachine, type HypervisorOptions } from '@rmk/hypervisor-embedded';
import { createDomain, type DomainOptions } from '@rmk/kernel';
import { onTestFinished } from 'vitest';
import type { EventHistory, Recorded } from './eventHistory.js';
import { guestStateOf, type GuestState } from './guestState.js';
import { Recorder, RECORDED } from './recorder.js';
import { machineOf, type RigGuest } from './rigGuest.js';

export type RigOptions = RigGuest & {
  readonly plugins: readonly Plugin[];
  /** Its options, or the hypervisor of another rig, beside whose VM this one is to run. */
  readonly hypervisor?: HypervisorOptions | EmbeddedHypervisor;
  readonly supervision?: DomainOptions['supervision'];
  /** `'expected'` where plugins are meant to throw; otherwise each EVT_MODULEFAULT fails the test. */
  readonly faults?: 'expected';
  /** Events to record besides those of `RECORDED`. */
  readonly record?: readonly EventName[];
  /** Called before the first plugin starts. */
  readonly observe?: (bus: Bus) => void;
};

/** A domain on the embedded hypervisor, in virtual time: it stands still but for `advance` and `runToEnd`. */
export class Rig implements EventHistory {
  private stopped = false;

  constructor(
    readonly hypervisor: EmbeddedHypervisor,
    readonly machine: EmbeddedMachine,
    readonly domain: Domain,
    private readonly recorder: Recorder,
    private readonly faults: 'expected' | undefined,
  ) {}

  get nowNs(): Nanoseconds {
    return this.machine.clock.now();
  }

  /**
   * Lets the guest run for this much domain time, to the exact instruction. Timers that are due then fire when it runs
   * on. It runs for less where it switches itself off or stays suspended. `'0ms'` only waits for what handlers began.
   */
  async advance(by: Duration): Promise<void> {
    await this.hypervisor.run({ untilNs: this.nowNs + nanoseconds(by) });
  }

  /** Lets the guest run until it switches itself off or cannot go on; gives its exit code. */
  async runToEnd(): Promise<number | undefined> {
    await this.hypervisor.run();
    return this.machine.exitCode;
  }

  /** All recorded events, in the order of their delivery. */
  get recorded(): readonly Recorded[] {
    return this.recorder.recorded;
  }

  /** The recorded events of one name, oldest first. `RMK_ERR_INPUT` where that one is not recorded. */
  events<E extends EventName>(name: E): readonly RmkEvent<E>[] {
    return this.recorder.events(name);
  }

  /** A line for each recorded event, in the order of their delivery; long runs of ordinary ones are folded. */
  timeline(): string {
    return this.recorder.timeline();
  }

  /** The guest's committed output as text. */
  get output(): string {
    return new TextDecoder().decode(this.machine.committedOutput);
  }

  /** To be compared with that of a golden run. */
  get guestState(): GuestState {
    return guestStateOf(this.machine);
  }

  /** The address of a symbol of the guest's ELF. */
  symbol(name: string): bigint {
    const address = this.machine.image.symbols.get(name);
    if (address === undefined) throw new Error(`${this.machine.image.source} has no symbol ${name}`);
    return BigInt(address);
  }

  /**
   * Stops the domain and closes the VM. Throws where a plugin failed to stop, left a timer behind on the VM, or had a
   * fault that was not expected. The test that made the rig need not call it; a second call does nothing.
   */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    const problems = [...(await this.stopDomain()), ...this.leaks(), ...this.unexpectedFaults()];
    await this.machine.close();
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }

  private async stopDomain(): Promise<readonly string[]> {
    try {
      await this.domain.stop();
      return [];
    } catch (error) {
      return [messageOf(error)];
    }
  }

  private leaks(): readonly string[] {
    const { pendingTimers, name } = this.machine;
    return pendingTimers === 0 ? [] : [`${pendingTimers} timers were left on the clock of the VM ${name}`];
  }

  private unexpectedFaults(): readonly string[] {
    if (this.faults === 'expected') return [];
    return this.events('EVT_MODULEFAULT').map(
      ({ plugin, during, error }) =>
        `${plugin} had a fault in ${during}: ${messageOf(error)} (where it is meant to, give the rig \`faults: 'expected'\`)`,
    );
  }
}

/**
 * Boots a guest under the plugins. Within a test of vitest the rig stops by itself, and the test fails if anything
 * leaks. Throws what `createDomain` throws; the VM is closed then.
 */
export async function startRig(options: RigOptions): Promise<Rig> {
  const { hypervisor: given } = options;
  const hypervisor = given instanceof EmbeddedHypervisor ? given : new EmbeddedHypervisor(given);
  const machine = hypervisor.createMachine(machineOf(options));
  const recorder = new Recorder([...new Set([...RECORDED, ...(options.record ?? [])])]);
  try {
    const domain = await createDomain({
      name: machine.name,
      machine,
      plugins: options.plugins,
      ...(options.supervision === undefined ? {} : { supervision: options.supervision }),
      observe: (bus) => {
        recorder.observe(bus);
        options.observe?.(bus);
      },
    });
    const rig = new Rig(hypervisor, machine, domain, recorder, options.faults);
    onTestFinished(() => rig.stop());
    return rig;
  } catch (error) {
    await machine.close();
    throw error;
  }
}
