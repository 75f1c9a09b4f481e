import { hasCode, RMK_VERSION } from '@rmk/core';
import { Command } from 'commander';
import { benchCommand } from './bench/benchCommand.js';
import { doctorCommand } from './doctor/doctorCommand.js';
import { ExitCode } from './exitCode.js';
import { attachCommand } from './machines/attachCommand.js';
import { listCommand } from './machines/listCommand.js';
import { stopCommand } from './machines/stopCommand.js';
import { debugCommand } from './debug/debugCommand.js';
import { injectCommand } from './inject/injectCommand.js';
import { modelCommand } from './model/modelCommand.js';
import { demoCommand } from './qemuDemo/demoCommand.js';
import { profileCommand } from './profile/profileCommand.js';
import { runCommand } from './run/runCommand.js';
import { startCommand } from './startCommand.js';
import { processTerminal, type Terminal } from './terminal.js';

/** `rmk`. Resolves to the exit code. Mistakes of a user are reported without a stack trace. */
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
    .addCommand(listCommand(terminal, done))
    .addCommand(attachCommand(terminal, done))
    .addCommand(stopCommand(terminal, done))
    .addCommand(demoCommand(terminal, done))
    .addCommand(doctorCommand(terminal, done))
    .addCommand(profileCommand(terminal, done))
    .addCommand(benchCommand(terminal, done))
    .addCommand(modelCommand(terminal, done))
    .addCommand(injectCommand(terminal, done))
    .addCommand(debugCommand(terminal, done));
  configure(program, terminal);
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (isCommanders(error)) return error.exitCode === 0 ? ExitCode.DONE : ExitCode.USAGE;
    if (!hasCode(error)) throw error;
    terminal.err(`${error.message}\n`);
    return ExitCode.USAGE;
  }
}

/** Commander applies these settings to the commands that a command creates, but not to those that were added to it. */
function configure(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  for (const each of command.commands) configure(each, terminal);
}

function isCommanders(error: unknown): error is { readonly exitCode: number } {
  // Two copies of commander have two classes of the same error.
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('commander.');
}
