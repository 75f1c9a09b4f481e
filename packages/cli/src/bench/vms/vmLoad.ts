import type { Domain } from '@rmk/core';
import { programRounds, readWorkload } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { hostClock } from '../embedded/threadTime.js';

export interface VmLoad {
  readonly vms: number;
  /** Guest time before, and while, it is measured. */
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

export interface VmLoadFigures {
  /** Host time of all VMs, in nanoseconds of this thread. */
  readonly ns: number;
  /** Checkpoints taken while it was measured. */
  readonly checkpoints: number;
  /** Of the process, with all VMs. */
  readonly residentBytes: number;
}

const MEMORY_BYTES = 32 << 20;
const MEGA = 1e6;
/** Never ends while it is measured. */
const ENDLESS = programRounds(0xffff_ffff);

/** Runs so many VMs in this thread, each protected by the preset with its defaults. */
export async function runVms({ vms, warmUpMs, measuredMs }: VmLoad): Promise<VmLoadFigures> {
  const clock = hostClock();
  await using hypervisor = new EmbeddedHypervisor();
  const elf = readWorkload('events');
  let checkpoints = 0;
  const domains: Domain[] = [];
  try {
    for (let index = 0; index < vms; index++) {
      const name = `vm${index}`;
      const machine = hypervisor.createMachine({ name, elf, bootData: [ENDLESS], memoryBytes: MEMORY_BYTES });
      const domain = await createDomain({ name, machine, plugins: microcheckpoint() });
      domain.bus.on('EVT_CHECKPOINTED', () => void checkpoints++);
      domains.push(domain);
    }
    await hypervisor.run({ untilNs: warmUpMs * MEGA });
    checkpoints = 0;
    const before = clock.nowNs();
    await hypervisor.run({ untilNs: (warmUpMs + measuredMs) * MEGA });
    const ns = clock.nowNs() - before;
    return { ns, checkpoints, residentBytes: process.memoryUsage.rss() };
  } finally {
    for (const domain of domains) await domain.stop();
  }
}
