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

/** What protects a guest under test. */
export interface Protection {
  readonly name: string;
  /** T_ck. */
  readonly intervalMs: number;
  /** The preset with it. Absent for what is no algorithm. */
  readonly algorithm?: NonNullable<MicrocheckpointOptions['algorithm']>;
  /** Begins to protect; what it gives ends that. Absent for the preset with `algorithm`, and for no protection. */
  readonly start?: (machine: EmbeddedMachine) => Disposable;
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
  private constructor(
    readonly hypervisor: EmbeddedHypervisor,
    readonly machine: EmbeddedMachine,
    private readonly clock: HostClock,
  ) {}

  static start(options: MachineOptions, engine: Engine, clock: HostClock): TestedGuest {
    const hypervisor = new EmbeddedHypervisor({ frequencyHz: FREQUENCY_HZ[engine] });
    return new TestedGuest(hypervisor, hypervisor.createMachine(options), clock);
  }

  /** Runs for so much guest time; gives the host time that took, in nanoseconds. */
  async advance(byMs: number): Promise<number> {
    const untilNs = this.machine.clock.now() + byMs * MEGA;
    const before = this.clock.nowNs();
    await this.hypervisor.run({ untilNs });
    return this.clock.nowNs() - before;
  }

  /** Protects the guest from here on. */
  async protect(protection: Protection): Promise<ProtectedGuest> {
    const { machine } = this;
    const started = protection.start?.(machine);
    const epochs: EpochReport[] = [];
    if (protection.algorithm === undefined) return new ProtectedGuest(epochs, undefined, started);
    const domain = await createDomain({ name: machine.name, machine, plugins: plugins(protection) });
    domain.bus.on('EVT_CHECKPOINTED', ({ closed }) => {
      if (closed !== undefined) epochs.push(closed);
    });
    return new ProtectedGuest(epochs, domain, started);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.hypervisor.close();
  }
}

/** A guest while it is protected. Disposing it ends the protection and leaves the guest where it is. */
class ProtectedGuest implements AsyncDisposable {
  /** `epochs`: those that were closed so far. */
  constructor(
    readonly epochs: readonly EpochReport[],
    readonly domain: Domain | undefined,
    private readonly started: Disposable | undefined,
  ) {}

  /** Closes the epoch that ends here. */
  async closeEpoch(): Promise<void> {
    await this.domain?.get(CHECKPOINTS).take();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.started?.[Symbol.dispose]();
    await this.domain?.stop();
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
