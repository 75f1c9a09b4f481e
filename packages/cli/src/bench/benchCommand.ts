import { Command, InvalidArgumentError } from 'commander';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { busBenchmark, type BusBenchmarkOptions } from './busBenchmark.js';
import { busJson, busText } from './busReport.js';

interface BusOptions {
  readonly rounds: number;
  readonly events: number;
  readonly seed: number;
  readonly json?: true;
}

/** `rmk bench`: how fast RMK is on this machine, beside others in the same process. */
export function benchCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const bench = new Command('bench')
    .description('measure RMK on this machine')
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  bench
    .command('bus')
    .description('the bus of a domain beside eventemitter3, node:events, mitt, nanoevents and emittery')
    .option('--rounds <number>', 'in which all are measured in turns', positive, 101)
    .option('--events <number>', 'for each emitter and number of listeners in a round', positive, 20_000)
    .option('--seed <number>', 'of the order in which they take their turns', positive, 1)
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .action(async ({ rounds, events, seed, json }: BusOptions) => {
      const options: BusBenchmarkOptions = { rounds, eventsPerRound: events, seed };
      const result = await busBenchmark(options, (what) => terminal.err(`${what} …\n`));
      terminal.out(json === true ? busJson(result) : busText(result));
      done(result.wrong.length === 0 ? ExitCode.DONE : ExitCode.FAILED);
    });
  return bench;
}

function positive(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value > 0 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number of 1 or more');
}
