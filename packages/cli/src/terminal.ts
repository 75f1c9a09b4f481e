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
  let left = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      // Each write fails from now on, and a second signal would end the program at once.
      if (!left) readerLeft();
      left = true;
      return;
    }
    process.stderr.write(`standard output cannot be written: ${error.message}\n`);
    process.exit(ExitCode.FAILED);
  });
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    ...(process.stdout.isTTY ? { columns: () => process.stdout.columns || COLUMNS } : {}),
  };
}

/** Ends in order what can be ended so: a VM that runs on by itself must not be left behind. */
function readerLeft(): void {
  if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
  else process.exit();
}
