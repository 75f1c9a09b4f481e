import { InvalidArgumentError, type Command } from 'commander';
import { ExitCode } from '../../exitCode.js';
import { formatTable } from '../../model/table.js';
import type { Terminal } from '../../terminal.js';
import type { Spread } from '../embedded/figures.js';
import { vmsBenchmark, type VmsBenchmarkOptions, type VmsBenchmarkResult } from './vmsBenchmark.js';

/** Adds `vms` to `rmk bench`. */
export function addVmsCommand(parent: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  parent
    .command('vms')
    .description('what a protected VM costs among 10 or 100 others, in one thread and in several')
    .option('--counts <numbers>', 'VMs, with commas', countsOf, [1, 10, 100])
    .option('--workers <numbers>', 'worker threads, with commas; 0: none', numbersOf, [0, 2])
    .option('--rounds <number>', 'rounds; in each, every row has its turn', countOf, 5)
    .option('--warm-up-ms <ms>', 'guest time before', numberOf, 1000)
    .option('--measured-ms <ms>', 'guest time that is measured', countOf, 500)
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .action(async ({ json, ...options }: VmsBenchmarkOptions & { readonly json?: true }) => {
      const result = await vmsBenchmark(options, (what) => terminal.err(`${what} …\n`));
      terminal.out(json === true ? `${JSON.stringify(result, undefined, 2)}\n` : vmsText(result));
      done(ExitCode.DONE);
    });
}

function vmsText({ node, clock, rows }: VmsBenchmarkResult): string {
  const shown = ({ median, low, high }: Spread, digits: number): string =>
    `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
  const table = formatTable({
    columns: ['VMs', 'threads', 'ms a VM and second', 'to the first row', 'checkpoints a VM', 'MiB'],
    rows: rows.map(({ vms, workers, msOfVm, ratio, checkpointsOfVm, residentBytes }) => [
      String(vms),
      workers === 0 ? 'this one' : String(workers),
      shown(msOfVm, 1),
      shown(ratio, 2),
      checkpointsOfVm.toFixed(0),
      (residentBytes / 2 ** 20).toFixed(0),
    ]),
  });
  return `Node ${node}; ${clock}, for a second of each VM's time: median (quartiles); memory is that of the process.\n${table}\n`;
}

function numbersOf(text: string): readonly number[] {
  return text.split(',').map(numberOf);
}

function countsOf(text: string): readonly number[] {
  return text.split(',').map(countOf);
}

function countOf(text: string): number {
  const count = numberOf(text);
  if (count > 0) return count;
  throw new InvalidArgumentError('expected 1 or more');
}

function numberOf(text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('expected whole numbers');
}
