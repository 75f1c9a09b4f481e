import { END, goldenRun } from '@rmk/campaign';
import { bootFile, GUESTS, readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import type { GoldenStates, GuestSpec } from './guestSpec.js';
import type { Incident } from './incident.js';
import { protectedRun, type EpochTotals, type ProtectedRun } from './protectedRun.js';
import { checksOf, checksOfUndisturbed, type Check } from './verdict.js';

export interface MainJobOptions {
  readonly guests: readonly GuestSpec[];
  /** Of the register flips. */
  readonly seed: number;
}

/** Called as it happens. */
export interface MainJobProgress {
  phase(what: string): void;
  incident(incident: Incident): void;
}

export interface MainJobResult {
  readonly verdict: 'pass' | 'fail';
  readonly runs: readonly ProtectedRun[];
  readonly checks: readonly Check[];
  /** Undisturbed runs of all guests together. */
  readonly algorithms: { readonly cowb: EpochTotals; readonly cowp: EpochTotals };
}

/**
 * Figure 1 of the paper: protects guests by the preset, injects faults from outside, and proves that nothing was lost.
 */
export async function mainJob(
  { guests, seed }: MainJobOptions,
  progress: MainJobProgress,
): Promise<MainJobResult> {
  progress.phase('Faults are injected into both guests');
  const runs = await protectedRun(guests, {
    algorithm: 'cowp',
    inject: { seed, onIncident: (incident) => progress.incident(incident) },
  });
  progress.phase('Golden runs without RMK, to compare with');
  const golden: GoldenStates[] = [];
  for (const [index, { machine }] of guests.entries()) {
    const restoredAt = runs[index]?.incidents.map(({ restored }) => restored.guestNs) ?? [];
    golden.push(await goldenRun(new EmbeddedHypervisor(), machine, [...restoredAt, END]));
  }
  progress.phase('Undisturbed runs under COWB and COWP');
  const cowb = await protectedRun(guests, { algorithm: 'cowb' });
  const cowp = await protectedRun(guests, { algorithm: 'cowp' });

  const checks = guests.flatMap(({ hasTasks }, index) => {
    const reference = at(golden, index);
    return [
      ...checksOf(at(runs, index), reference, hasTasks),
      ...checksOfUndisturbed(at(cowb, index), reference, 'COWB'),
      ...checksOfUndisturbed(at(cowp, index), reference, 'COWP'),
    ];
  });
  return {
    verdict: checks.every(({ holds }) => holds) ? 'pass' : 'fail',
    runs,
    checks,
    algorithms: { cowb: total(cowb), cowp: total(cowp) },
  };
}

/** The file that the compressor works on, and its name. */
export interface CompressedFile {
  readonly name: string;
  readonly data: Uint8Array;
}

/** The guests of the main job. `RMK_ERR_INPUT` for a file that the compressor cannot take. */
export function mainJobGuests(file: CompressedFile): readonly GuestSpec[] {
  const { tasks, compressor } = GUESTS;
  return [
    {
      machine: {
        name: 'tasks',
        elf: readGuest('tasks'),
        elfSource: 'tasks.elf',
        memoryBytes: tasks.memoryBytes,
      },
      hasTasks: true,
    },
    {
      machine: {
        name: 'compressor',
        elf: readGuest('compressor'),
        elfSource: 'compressor.elf',
        memoryBytes: compressor.memoryBytes,
        bootData: [bootFile(file.data, file.name)],
      },
      hasTasks: false,
    },
  ];
}

function total(runs: readonly ProtectedRun[]): EpochTotals {
  const sum = (of: keyof EpochTotals): number => runs.reduce((all, { epochs }) => all + epochs[of], 0);
  return {
    checkpoints: sum('checkpoints'),
    pageFaults: sum('pageFaults'),
    pagesSaved: sum('pagesSaved'),
    pagesPreSaved: sum('pagesPreSaved'),
    preSavedInVain: sum('preSavedInVain'),
  };
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no run of guest ${index}`);
  return value;
}
