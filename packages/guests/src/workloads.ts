import { readElf } from './elf.js';

/** How many pages a workload writes in an epoch: under 100, 100 to 1000, or more. */
export type DirtyPageClass = 'tens' | 'hundreds' | 'over a thousand';

export interface Workload {
  readonly description: string;
  /** What it was written for, in 50 ms at 500 MHz (25 million instructions). Fixed before the first measurement. */
  readonly dirtyPages: DirtyPageClass;
}

/** Integer programs that stand in for those of the evaluation of §7. */
export const WORKLOADS = {
  packer: { description: 'a compressor: LZ77 with hash chains, unpacked again', dirtyPages: 'tens' },
  bytecode: { description: 'an interpreter of lists with a copying collector', dirtyPages: 'hundreds' },
  frontend: { description: 'a front end of a compiler, with trees in an arena', dirtyPages: 'hundreds' },
  flow: { description: "the greatest flow in a network, by Dinic's method", dirtyPages: 'hundreds' },
  kalah: {
    description: 'a search in a game, with a table of positions',
    dirtyPages: 'over a thousand',
  },
  alignment: {
    description: 'dynamic programming over a table of 1024 x 1024 scores',
    dirtyPages: 'over a thousand',
  },
  events: { description: 'a discrete-event simulation of a network of queues', dirtyPages: 'hundreds' },
  paths: { description: 'path finding by A*, all over a map', dirtyPages: 'hundreds' },
} as const satisfies Readonly<Record<string, Workload>>;

export type WorkloadName = keyof typeof WORKLOADS;

/**
 * The ELF of a workload, which takes its number of rounds from `programRounds`. Throws RMK_ERR_UNKNOWN for any other
 * name.
 */
export function readWorkload(name: WorkloadName): Uint8Array {
  return readElf('workload', name, WORKLOADS);
}
