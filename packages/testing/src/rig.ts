import type { Bus, Domain, Duration, EventName, Nanoseconds, Plugin, RmkEvent } from '@rmk/core';
import { nanoseconds } from '@rmk/core';
import { bootFile, GUESTS, readGuest, type GuestName } from '@rmk/guests';
import {
  EmbeddedHypervisor,
  type EmbeddedMachine,
  type HypervisorOptions,
  type MachineOptions,
} from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { onTestFinished } from 'vitest';
import { Recorder, RECORDED } from './recorder.js';

/** A guest of RMK by name, with the file that it may want, or a machine described in full. */
export type RigGuest =
  | { readonly guest: GuestName; readonly file?: Uint8Array; readonly machine?: Partial<MachineOptions> }
  | { readonly machine: MachineOptions };

export type RigOptions = RigGuest & {
  readonly plugins: readonly Plugin[];
  readonly hypervisor?: HypervisorOptions;
  /** Events to record besides those of `RECORDED`. */
  readonly record?: readonly EventName[];
  /** Called before the first plugin starts. */
  readonly observe?: (bus: Bus) => void;
};

/** A domain on the embedded hypervisor, in virtual time: it stands still but for `advance` and `runToEnd`. */
export class Rig {
  constructor(
    readonly hypervisor: EmbeddedHypervisor,
    readonly machine: EmbeddedMachine,
    readonly domain: Domain,
    private readonly recorder: Recorder,
  ) {}

  get nowNs(): Nanoseconds {
    return this.machine.clock.now();
  }

  /** Lets the guest run for this much domain time, to the exact instruction. */
  async advance(by: Duration): Promise<void> {
    await this.hypervisor.run({ untilNs: this.nowNs + nanoseconds(by) });
  }

  /** Lets the guest run until it switches itself off or cannot go on; gives its exit code. */
  async runToEnd(): Promise<number | undefined> {
    await this.hypervisor.run();
    return this.machine.exitCode;
  }

  /** The recorded events of one name, oldest first. */
  events<E extends EventName>(name: E): readonly RmkEvent<E>[] {
    return this.recorder.of(name);
  }

  timeline(): string {
    return this.recorder.timeline();
  }

  /** The guest's committed output as text. */
  get output(): string {
    return new TextDecoder().decode(this.machine.committedOutput);
  }

  /** The address of a symbol of the guest's ELF. */
  symbol(name: string): bigint {
    const address = this.machine.image.symbols.get(name);
    if (address === undefined) throw new Error(`${this.machine.image.source} has no symbol ${name}`);
    return BigInt(address);
  }

  /** Stops the domain and throws if a plugin left a timer behind on the VM. */
  async stop(): Promise<void> {
    await this.domain.stop();
    const { pendingTimers } = this.machine;
    await this.hypervisor.close();
    if (pendingTimers > 0) throw new Error(`${pendingTimers} timers were left on the clock of the VM`);
  }
}

/** The options of a guest of RMK, as a machine. */
export function guestMachine(guest: GuestName, file?: Uint8Array): MachineOptions {
  return {
    name: guest,
    elf: readGuest(guest),
    elfSource: `${guest}.elf`,
    memoryBytes: GUESTS[guest].memoryBytes,
    ...(file === undefined ? {} : { bootData: [bootFile(file, 'the file of the rig')] }),
  };
}

/** Boots a guest under the plugins. Within a test of vitest the rig stops by itself, and the test fails if anything leaks. */
export async function startRig(options: RigOptions): Promise<Rig> {
  const hypervisor = new EmbeddedHypervisor(options.hypervisor);
  const machine = hypervisor.createMachine(
    'guest' in options
      ? { ...guestMachine(options.guest, options.file), ...options.machine }
      : options.machine,
  );
  const recorder = new Recorder([...RECORDED, ...(options.record ?? [])]);
  const domain = await createDomain({
    name: machine.name,
    machine,
    plugins: options.plugins,
    observe: (bus) => {
      recorder.observe(bus);
      options.observe?.(bus);
    },
  });
  const rig = new Rig(hypervisor, machine, domain, recorder);
  onTestFinished(() => rig.stop());
  return rig;
}
