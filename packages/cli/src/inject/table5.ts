import { EXPERIMENT_DEFAULTS, FAULT_KINDS, type ChosenFault, type Experiment } from '@rmk/campaign';
import { RmkError } from '@rmk/core';
import { GUESTS, readGuest } from '@rmk/guests';
import { microcheckpoint, type MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import { embeddedGuest } from './embeddedGuest.js';
import type { PlannedCampaign } from './experimentFile.js';

/** Fixed beforehand: nothing was picked. */
const SEED = 2010;

export interface Table5Row {
  readonly experiment: string;
  readonly fault: string;
  readonly protect: MicrocheckpointOptions;
  readonly paper: {
    readonly injected: number;
    readonly activatedAndDetected: number;
    readonly recovered: number;
  };
}

/** Table 5 of the paper (§8), with its numbers of faults and its intervals. */
export const TABLE5: readonly Table5Row[] = [
  {
    experiment: 'signal-triggered crashes, interval 100 ms',
    fault: 'signal',
    protect: { interval: '100ms' },
    paper: { injected: 35, activatedAndDetected: 35, recovered: 35 },
  },
  {
    experiment: 'bit flips into kernel registers, interval 100 ms',
    fault: 'register-flip',
    protect: { interval: '100ms' },
    paper: { injected: 85, activatedAndDetected: 31, recovered: 31 },
  },
  {
    experiment: 'system hangs, threshold 200 ms, interval 500 ms',
    fault: 'hang',
    protect: { interval: '500ms', hang: { threshold: '200ms' } },
    paper: { injected: 30, activatedAndDetected: 30, recovered: 24 },
  },
];

/** The campaign of a row. */
export function planTable5(index: number): PlannedCampaign {
  const row = TABLE5[index];
  if (row === undefined) throw new RmkError('RMK_ERR_UNKNOWN', `table 5 has no row ${index}`);
  const guest = embeddedGuest(
    { name: 'tasks', elf: readGuest('tasks'), elfSource: 'tasks.elf', memoryBytes: GUESTS.tasks.memoryBytes },
    () => microcheckpoint(row.protect),
  );
  const experiment: Experiment = {
    ...EXPERIMENT_DEFAULTS,
    gridNs: 20e6,
    control: 0,
    seed: SEED,
    count: row.paper.injected,
    faults: [faultNamed(row.fault)],
    steadyState: { exitCode: 0, output: 'tasks: ok', withinNs: 60e9 },
  };
  // No journal is kept of it.
  return { experiment, guest, digest: '' };
}

function faultNamed(name: string): ChosenFault {
  const kind = FAULT_KINDS.find((each) => each.name === name);
  if (kind === undefined) throw new RmkError('RMK_ERR_UNKNOWN', `unknown fault ${name}`);
  return kind.choose();
}
