import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import type { Spread } from './spread.js';
import { stateBenchmark, type StateBenchmarkOptions, type StateBenchmarkResult } from './stateBenchmark.js';

/** The command line of the benchmark. */
export function stateCommand(out: (text: string) => void): Command {
  return new Command('bench:state')
    .description('compares a checkpoint with copies of the whole state, that of v86 among them')
    .option('--rounds <number>', 'rounds; every way is measured once in each', positive, 31)
    .option('--memory <MiB>', 'guest memory, a power of two', positive, 32)
    .option('--pages <number>', 'pages written between two checkpoints', positive, 491)
    .option('--json', 'print only the result, as JSON')
    .action(async ({ json, ...options }: StateBenchmarkOptions & { readonly json?: true }) => {
      const result = await stateBenchmark(options);
      out(json === true ? `${JSON.stringify(result, undefined, 2)}\n` : stateText(result));
    });
}

function stateText({ rounds, memory, node, ways }: StateBenchmarkResult): string {
  const table = new Table({
    head: ['way', 'µs', 'to the checkpoint', 'MiB'],
    style: { head: [], border: [] },
  });
  for (const { way, us, ratio, bytes } of ways)
    table.push([way, shown(us, 0), shown(ratio, 1), (bytes / 2 ** 20).toFixed(2)]);
  return `Host time in µs: median (quartiles) of ${rounds} rounds, ${memory} MiB of guest memory, Node ${node.slice(1)}\n${table.toString()}\n`;
}

function shown({ median, low, high }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

function positive(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value > 0 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number of 1 or more');
}
