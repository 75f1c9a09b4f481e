import { Command, CommanderError } from 'commander';
import { addAdviseCommand } from './adviseCommand.js';
import { addAvailabilityCommand } from './availabilityCommand.js';
import { type CommandIo, processIo } from './commandIo.js';
import { addCorruptionCommand } from './corruptionCommand.js';

/**
 * The command line of the models, to be added to a program: `program.addCommand(modelCommand(io))`.
 *
 * What a user did wrong is written to `io.stderr` without a stack trace, and `io.exit(2)` is called. Like commander's
 * `exitOverride`, wrong usage and `--help` then throw a CommanderError from `parseAsync`, which the caller has only to
 * swallow; {@link runModelCommand} does.
 */
export function modelCommand(io: CommandIo = processIo): Command {
  const command = new Command('model')
    .description('checkpoint corruption, availability, and advice from measured numbers')
    .configureOutput({ writeOut: (text) => io.stdout(text), writeErr: (text) => io.stderr(text) })
    .exitOverride((error) => {
      io.exit(error.exitCode === 0 ? 0 : 2);
      throw error;
    });
  addCorruptionCommand(command, io);
  addAvailabilityCommand(command, io);
  addAdviseCommand(command, io);
  return command;
}

/** Runs `rmk model` with the arguments that follow it. */
export async function runModelCommand(args: readonly string[], io: CommandIo = processIo): Promise<void> {
  try {
    await modelCommand(io).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
}
