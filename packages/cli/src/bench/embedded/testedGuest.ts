import { retainFor } from '@rmk/checkpoint';
import { CHECKPOINTS, type Domain, type EpochReport } from '@rmk/core';
import { programRounds, readWorkload, type WorkloadName } from '@rmk/guests';
import { EmbeddedHypervisor, type EmbeddedMachine, type MachineOptions } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint, type MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import type { HostClock } from './threadTime.js';

export type Engine = 'interpreter' | 'translator';

/**
 * Instructions a second of guest time: near those of a second of host time, so that 50 ms of the guest are about 50 ms
 * of the host. Fixed, so that counts are the same in every run.
 */
export const FREQUENCY_HZ: Readonly<Record<Engine, number>> = {
  interpreter: 200_000_000,
  translator: 1_000_000_000,
};

export const MEMORY_BYTES = 32 << 20;
const MEGA = 1e6;
/**
 * The bound of the preset's detectors (200 ms to detect a hang, 50 ms for a crash): so many checkpoints are retained.
 */
const LONGEST_BOUND_NS = 250e6;
/** Never ends while it is measured. */
const ENDLESS = programRounds(0xffff_ffff);

/** What runs in a guest under test, besides the guest. */
export interface Protection {
  readonly name: string;
  /** T_ck. */
  readonly intervalMs: number;
  /** Begins it; absent for the preset with `algorithm`. */
  readonly algorithm?: NonNullable<MicrocheckpointOptions['algorithm']>;
  readonly start?: (machine: EmbeddedMachine) => void;
}

export function machineOptions(workload: WorkloadName, engine: Engine): MachineOptions {
  return {
    name: workload,
    elf: readWorkload(workload),
    bootData: [ENDLESS],
    engine,
    memoryBytes: MEMORY_BYTES,
  };
}

/** A guest alone on a hypervisor of its own, whose host time is taken. */
export class TestedGuest implements AsyncDisposable {
  /** Of the epochs that were closed so far. */
  readonly epochs: EpochReport[] = [];
  private reachedMs = 0;

  private constructor(
    readonly hypervisor: EmbeddedHypervisor,
    readonly machine: EmbeddedMachine,
    readonly protection: Protection | undefined,
    private readonly clock: HostClock,
    readonly domain: Domain | undefined,
  ) {}

  static async start(
    options: MachineOptions,
    engine: Engine,
    protection: Protection | undefined,
    clock: HostClock,
  ): Promise<TestedGuest> {
    const hypervisor = new EmbeddedHypervisor({ frequencyHz: FREQUENCY_HZ[engine] });
    const machine = hypervisor.createMachine(options);
    protection?.start?.(machine);
    const domain =
      protection?.algorithm === undefined
        ? undefined
        : await createDomain({ name: machine.name, machine, plugins: plugins(protection) });
    const guest = new TestedGuest(hypervisor, machine, protection, clock, domain);
    domain?.bus.on('EVT_CHECKPOINTED', ({ closed }) => {
      if (closed !== undefined) guest.epochs.push(closed);
    });
    return guest;
  }

  /** Runs for so much guest time; gives the host time that took, in nanoseconds. */
  async advance(byMs: number): Promise<number> {
    this.reachedMs += byMs;
    const before = this.clock.nowNs();
    await this.hypervisor.run({ untilNs: this.reachedMs * MEGA });
    return this.clock.nowNs() - before;
  }

  /** Closes the epoch that ends here. */
  async closeEpoch(): Promise<void> {
    await this.domain?.get(CHECKPOINTS).take();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.domain?.stop();
    await this.hypervisor.close();
  }
}

/** The preset without detectors and without recovery: what is measured are checkpoints. */
function plugins({ intervalMs, algorithm }: Protection): ReturnType<typeof microcheckpoint> {
  return microcheckpoint({
    interval: `${intervalMs}ms`,
    retain: retainedAt(intervalMs),
    algorithm: algorithm ?? 'cowp',
    hang: false,
    recovery: false,
    signals: { latencyBound: false },
  });
}

export function retainedAt(intervalMs: number): number {
  return retainFor(LONGEST_BOUND_NS, intervalMs * MEGA);
}
