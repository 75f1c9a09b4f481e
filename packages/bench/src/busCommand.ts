import { Command, InvalidArgumentError } from 'commander';
import { busBenchmark, type BusBenchmarkOptions } from './busBenchmark.js';
import { busJson, busText } from './busReport.js';

interface BusOptions {
  readonly rounds: number;
  readonly events: number;
  readonly seed: number;
  readonly json?: true;
}

interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** The command line of the benchmark. `done` receives the exit code: 1 if an emitter lost or reordered events. */
export function busCommand({ out, err }: Output, done: (exitCode: 0 | 1) => void): Command {
  return new Command('bench:bus')
    .description(
      'compares the bus of a domain with eventemitter3, node:events, mitt, nanoevents and emittery',
    )
    .configureOutput({ writeOut: out, writeErr: err })
    .option('--rounds <number>', 'rounds; every emitter is measured once in each', positive, 101)
    .option('--events <number>', 'events per emitter, listener count and round', positive, 20_000)
    .option('--seed <number>', 'seed of the order within each round', positive, 1)
    .option('--json', 'print only the result, as JSON')
    .action(async ({ rounds, events, seed, json }: BusOptions) => {
      const options: BusBenchmarkOptions = { rounds, eventsPerRound: events, seed };
      const result = await busBenchmark(options, (what) => err(`${what} …\n`));
      out(json === true ? busJson(result) : busText(result));
      done(result.wrong.length === 0 ? 0 : 1);
    });
}

function positive(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value > 0 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number of 1 or more');
}
