import Table from 'cli-table3';
import {
  Campaign,
  EXPERIMENT_DEFAULTS,
  FAULT_KINDS,
  isEffective,
  type ChosenFault,
  type Experiment,
  type ExperimentRecord,
} from '@rmk/campaign';
import { RmkError } from '@rmk/core';
import { GUESTS, readGuest } from '@rmk/guests';
import { microcheckpoint, type MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import { Command } from 'commander';
import { ExitCode } from '../exitCode.js';
import { StatusLine } from '../run/statusLine.js';
import type { Terminal } from '../terminal.js';
import { embeddedGuest } from './embeddedGuest.js';
import { Progress } from './progress.js';

/** Fixed beforehand: nothing was picked. */
const SEED = 2010;

interface Row {
  readonly experiment: string;
  readonly fault: string;
  readonly options?: object;
  readonly protect: MicrocheckpointOptions;
  readonly paper: {
    readonly injected: number;
    readonly activatedAndDetected: number;
    readonly recovered: number;
  };
}

/** Table 5 of the paper (§8), with its numbers of faults and its intervals. */
const ROWS: readonly Row[] = [
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

/** `rmk inject table5`: the paper's error injection experiments on the embedded hypervisor. */
export function table5Command(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('table5')
    .description('repeat table 5 of the paper: signals, register flips and hangs in the guest tasks')
    .option('--json', 'print the rows as JSON')
    .action(async (_: object, command: Command) => {
      // rmk inject has the same option, and takes it for its own.
      const { json } = command.optsWithGlobals<{ readonly json?: true }>();
      const rows = [];
      for (const row of ROWS) rows.push({ row, records: await recordsOf(row, terminal) });
      const result = rows.map(({ row, records }) => ({
        experiment: row.experiment,
        ...countsOf(records),
        paper: row.paper,
      }));
      terminal.out(json === true ? `${JSON.stringify({ rows: result }, undefined, 2)}\n` : tableOf(result));
      const broken = rows.some(({ records }) =>
        records.some(({ outcome }) => outcome === 'broke-healthy-guest'),
      );
      done(broken ? ExitCode.FAILED : ExitCode.DONE);
    });
}

async function recordsOf(row: Row, terminal: Terminal): Promise<readonly ExperimentRecord[]> {
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
    faults: [faultOf(row)],
    steadyState: { exitCode: 0, output: 'tasks: ok', withinNs: 60e9 },
  };
  const campaign = await Campaign.prepare(guest, experiment);
  const progress = new Progress(new StatusLine(terminal), experiment.count, 0);
  const records: ExperimentRecord[] = [];
  for (let number = 0; number < experiment.count; number++) {
    records.push(await campaign.run(number));
    progress.at(records.length);
  }
  progress.end();
  return records;
}

function faultOf({ fault, options }: Row): ChosenFault {
  const kind = FAULT_KINDS.find(({ name }) => name === fault);
  if (kind === undefined) throw new RmkError('RMK_ERR_UNKNOWN', `unknown fault ${fault}`);
  return kind.choose(options);
}

interface Counts {
  readonly injected: number;
  readonly activatedAndDetected: number;
  readonly recovered: number;
  readonly restarted: number;
}

function countsOf(records: readonly ExperimentRecord[]): Counts {
  const detected = records.filter((record) => record.detections > 0 && isEffective(record));
  return {
    injected: records.length,
    activatedAndDetected: detected.length,
    // As the paper counts them: what left the guest before the detection was not looked at.
    recovered: detected.filter(({ outcome }) => outcome.startsWith('recovered')).length,
    restarted: detected.filter(({ outcome }) => outcome === 'restarted').length,
  };
}

function tableOf(
  rows: readonly (Counts & { readonly experiment: string; readonly paper: Row['paper'] })[],
): string {
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ['experiment', 'injected', 'activated and detected', 'recovered', 'restarted', 'paper'],
  });
  for (const { experiment, injected, activatedAndDetected, recovered, restarted, paper } of rows) {
    const inPaper = `${paper.injected}, ${paper.activatedAndDetected}, ${paper.recovered}`;
    table.push([experiment, injected, activatedAndDetected, recovered, restarted, inPaper]);
  }
  return `${table.toString()}\n`;
}
