import { RmkError, RMK_VERSION } from '@rmk/core';
import { modelCommand } from '@rmk/model';
import { Command, CommanderError } from 'commander';
import { benchCommand } from './bench/benchCommand.js';
import { doctorCommand } from './doctor/doctorCommand.js';
import { ExitCode } from './exitCode.js';
import { demoCommand } from './qemuDemo/demoCommand.js';
import { runCommand } from './run/runCommand.js';
import { startCommand } from './startCommand.js';
import { processTerminal, type Terminal } from './terminal.js';

/** `rmk`: gives the exit code. What a user did wrong is said in a message, never with a stack trace. */
export async function main(
  args: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<ExitCode> {
  let code: ExitCode = ExitCode.DONE;
  const done = (result: ExitCode): void => {
    code = result;
  };
  const program = new Command('rmk')
    .description('RMK, a Reliability MicroKernel: keeps virtual machines alive')
    .version(RMK_VERSION)
    .addCommand(startCommand(terminal, done))
    .addCommand(runCommand(terminal, done))
    .addCommand(demoCommand(terminal, done))
    .addCommand(doctorCommand(terminal, done))
    .addCommand(benchCommand(terminal, done))
    .addCommand(modelCommand({ stdout: terminal.out, stderr: terminal.err, exit: done }));
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.DONE : ExitCode.USAGE;
    if (!(error instanceof RmkError)) throw error;
    terminal.err(`${error.message}\n`);
    return ExitCode.USAGE;
  }
}
