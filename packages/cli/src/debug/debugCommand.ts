import { RmkError } from '@rmk/core';
import { Command, InvalidArgumentError } from 'commander';
import { ExitCode } from '../exitCode.js';
import { wholeOption } from '../model/optionValues.js';
import { Interruption } from '../run/interruption.js';
import type { Terminal } from '../terminal.js';
import { debuggedGuest, type Debugged } from './debuggedGuest.js';
import { debuggedIncident } from './debuggedIncident.js';
import { listenOnPort, listenPrivately } from './debugServer.js';
import { MonitorCommands } from './monitorCommands.js';

interface Options {
  readonly guest?: string;
  readonly port?: number;
  readonly incident?: string;
}

/** `rmk debug`: a gdb server for an embedded guest, which goes back in time, too. */
export function debugCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('debug')
    .description(
      'serve gdb for an embedded guest: forward and back in time, to a breakpoint or a detected error',
    )
    .argument('<what>', 'a config; with --incident the number of an experiment')
    .option('--guest <name>', 'of the config, where it has several')
    .option('--port <number>', 'listen on this port of localhost, in place of a unix socket', portOption)
    .option('--incident <journal>', 'open an experiment of rmk inject at its injection')
    .action(async (what: string, options: Options) => {
      const { guest, incident } = options;
      const debugged =
        incident === undefined
          ? await debuggedGuest(what, guest)
          : await debuggedIncident(incident, experimentNumber(what));
      try {
        await serve(debugged, options.port, terminal);
        done(ExitCode.DONE);
      } finally {
        await debugged.close();
      }
    });
}

async function serve(debugged: Debugged, port: number | undefined, terminal: Terminal): Promise<void> {
  const { travel, what, incident } = debugged;
  const interruption = new Interruption({ leftBehind: [] }, terminal);
  try {
    const server = await (port === undefined ? listenPrivately() : listenOnPort(port));
    terminal.out(
      `debugging   ${what}\nconnect     gdb-multiarch -ex 'target remote ${server.address}'\n` +
        'end         kill in gdb, or Ctrl-C here\n',
    );
    const monitor = new MonitorCommands(travel, incident);
    const target = {
      travel,
      monitor: (command: string, signal: AbortSignal) => monitor.execute(command, signal),
    };
    await server.serve(target, (text) => terminal.err(`${text}\n`), interruption.signal);
  } finally {
    interruption.release();
  }
}

function experimentNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new RmkError(
    'RMK_ERR_INPUT',
    `${JSON.stringify(text)} is no number of an experiment. Give one that the journal holds, such as 0.`,
  );
}

function portOption(text: string): number {
  const port = wholeOption(text);
  if (port <= 65_535) return port;
  throw new InvalidArgumentError('a port is at most 65535.');
}
