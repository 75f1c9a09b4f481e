import { guestStateOf, type FaultTarget, type GuestState } from '@rmk/campaign';
import { nanoseconds, type Duration } from '@rmk/core';
import { EmbeddedHypervisor, type EmbeddedMachine, type HypervisorOptions } from '@rmk/hypervisor-embedded';
import { DomainRig, WatchedDomain, type DomainRigOptions } from './domainRig.js';
import { machineOf, type RigGuest } from './rigGuest.js';
import { checkRigOptions } from './rigOptions.js';

export type RigOptions = RigGuest &
  DomainRigOptions & {
    /** Its options, or the hypervisor of another rig, beside whose VM this one is to run. */
    readonly hypervisor?: HypervisorOptions | EmbeddedHypervisor;
  };

/** A domain on the embedded hypervisor, in virtual time, which passes only in `advance` and `runToEnd`. */
export class Rig extends DomainRig<EmbeddedMachine> implements FaultTarget {
  constructor(
    readonly hypervisor: EmbeddedHypervisor,
    machine: EmbeddedMachine,
    watched: WatchedDomain,
  ) {
    super(machine, watched);
  }

  /**
   * Runs the guest for this much domain time, to the exact instruction. Timers due at its end fire when it continues.
   * It runs for less if it switches itself off or stays suspended. `'0ms'` only waits for what handlers began. Throws
   * RMK_ERR_TIMEOUT if a handler does not settle.
   */
  async advance(by: Duration): Promise<void> {
    await this.watchHold(this.hypervisor.run({ untilNs: this.nowNs + nanoseconds(by) }));
  }

  /** Lets the guest run until it switches itself off or cannot go on; gives its exit code. */
  async runToEnd(): Promise<number | undefined> {
    await this.watchHold(this.hypervisor.run());
    return this.machine.exitCode;
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
}

/**
 * Boots a guest under the plugins. Within a test of vitest the rig stops by itself, and the test fails if anything
 * leaks. Throws RMK_ERR_INPUT for invalid options, and what `createDomain` throws; the VM is closed then.
 */
export async function startRig(options: RigOptions): Promise<Rig> {
  checkRigOptions('startRig', options);
  const { hypervisor: given } = options;
  const hypervisor = given instanceof EmbeddedHypervisor ? given : new EmbeddedHypervisor(given);
  const machine = hypervisor.createMachine(machineOf(options));
  try {
    return new Rig(hypervisor, machine, await WatchedDomain.create(machine, options));
  } catch (error) {
    await machine.close();
    throw error;
  }
}
