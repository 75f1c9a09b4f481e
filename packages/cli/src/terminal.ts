import { ExitCode } from './exitCode.js';

/** Where a command writes, so that it can be run without a terminal. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Where a person is looking on, and lines may be drawn over: how wide it is at present. */
  readonly columns?: () => number;
}

const COLUMNS = 80;

/** Standard output and error of the process. A reader that goes away (`rmk … | head`) ends the program in silence. */
export function processTerminal(): Terminal {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    process.stderr.write(`standard output cannot be written: ${error.message}\n`);
    process.exit(ExitCode.FAILED);
  });
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    ...(process.stdout.isTTY ? { columns: () => process.stdout.columns || COLUMNS } : {}),
  };
}
