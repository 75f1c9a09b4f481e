import { durationHint, isDuration, nanoseconds, type Nanoseconds } from '@rmk/core';
import { Command, Option, InvalidArgumentError } from 'commander';
import { planRun } from '../config/runPlan.js';
import { ExitCode } from '../exitCode.js';
import { numberOption } from '../model/optionValues.js';
import { Interruption } from '../run/interruption.js';
import type { Terminal } from '../terminal.js';
import { profileGuests } from './profile.js';
import { profileJson, profileText } from './profileText.js';

interface Options {
  readonly for: Nanoseconds;
  readonly margin: number;
  readonly rate: number;
  readonly confidence: number;
  readonly json?: true;
}

const DEFAULT_FOR = '10s';

/** `rmk profile`: thresholds for hang and heartbeat from a healthy run. */
export function profileCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('profile')
    .description(
      'measure how often a healthy guest gives signs of progress, and propose thresholds for detectors',
    )
    .argument('<config>', 'in TypeScript, JavaScript or JSON')
    .addOption(
      new Option('--for <duration>', 'domain time to run each guest for')
        .argParser(durationOption)
        .default(nanoseconds(DEFAULT_FOR), DEFAULT_FOR),
    )
    .option('--margin <factor>', 'threshold to longest gap', marginOption, 2)
    .option('--rate <share>', 'false positives wanted, as a share of the gaps', shareOption, 1e-4)
    .option('--confidence <share>', 'of the bounds on the rate', shareOption, 0.95)
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .action(async (config: string, options: Options) => {
      const plan = await planRun(config);
      const { margin, rate, confidence } = options;
      const settings = { margin, rate, confidence };
      const interruption = new Interruption(plan.hypervisor, terminal);
      try {
        const { guests, problems } = await profileGuests(plan, options.for, settings, interruption.signal);
        terminal.out(options.json === true ? profileJson(guests, settings) : profileText(guests, settings));
        for (const problem of problems) terminal.err(`a domain failed to stop: ${problem}\n`);
        const healthy = guests.every(({ detected }) => detected.every(({ kind }) => kind === 'hang'));
        done(healthy && problems.length === 0 ? ExitCode.DONE : ExitCode.FAILED);
      } finally {
        interruption.release();
      }
    });
}

function durationOption(text: string): Nanoseconds {
  if (isDuration(text)) return nanoseconds(text);
  throw new InvalidArgumentError(`"${text}": ${durationHint(text)}.`);
}

function shareOption(text: string): number {
  const value = numberOption(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError(`"${text}" is not a number above 0 and below 1.`);
}

function marginOption(text: string): number {
  const value = numberOption(text);
  if (value >= 1 && value < Infinity) return value;
  throw new InvalidArgumentError(`"${text}" is not a number of 1 or more.`);
}
