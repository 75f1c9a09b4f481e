import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, RmkError, RMK_VERSION } from '@rmk/core';
import { Command, InvalidArgumentError } from 'commander';
import { colour } from './colour.js';
import { ExitCode } from './exitCode.js';
import { mainJob, mainJobGuests, type CompressedFile } from './mainJob/mainJob.js';
import { incidentText, resultText, startJson } from './startReport.js';
import type { Terminal } from './terminal.js';

interface StartOptions {
  readonly file?: string;
  readonly seed: number;
  readonly json?: true;
}

const DEFAULT_SEED = 1;

/** `rmk start`: the main job. */
export function startCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('start')
    .description('protect two guests, inject a crash, bit flips and hangs, and prove that nothing was lost')
    .option(
      '--file <path>',
      "what the compressor works on (default: the project's package-lock.json in a clone, the README of @rmk/cli where it is installed)",
    )
    .option('--seed <number>', 'of the register flips', wholeNumber, DEFAULT_SEED)
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .action(async (options: StartOptions) => {
      const file = readFile(options.file);
      const guests = mainJobGuests(file);
      const say = options.json === true ? () => {} : terminal.out;
      say(
        `RMK ${RMK_VERSION}, embedded RV32 hypervisor: a checkpoint every 50 ms (COWP), crashes and hangs detected.\n` +
          `Guests: tasks, a small pre-emptive kernel, and a compressor at work on ${file.name} ` +
          `(${file.data.length} bytes). Times are domain time unless said otherwise.\n`,
      );
      const result = await mainJob(
        { guests, seed: options.seed },
        {
          phase: (what) => say(`\n${colour.dim(`${what} …`)}\n`),
          incident: (incident) => say(incidentText(incident)),
        },
      );
      terminal.out(options.json === true ? startJson(result) : `\n${resultText(result)}`);
      done(result.verdict === 'pass' ? ExitCode.DONE : ExitCode.FAILED);
    });
}

/** The lock file of the clone; a package that was installed has none, and takes its own README. */
function defaultFile(): string {
  const [lock, readme] = [
    new URL('../../../package-lock.json', import.meta.url),
    new URL('../README.md', import.meta.url),
  ];
  return fileURLToPath(existsSync(lock) ? lock : readme);
}

function readFile(path: string | undefined): CompressedFile {
  const from = path ?? defaultFile();
  try {
    return { name: basename(from), data: readFileSync(from) };
  } catch (error) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `--file ${from} cannot be read (${messageOf(error)}); name a file that can`,
    );
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number of zero or more');
}
