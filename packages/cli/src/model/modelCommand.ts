import { Command } from 'commander';
import type { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { addAdviseCommand } from './adviseCommand.js';
import { addAvailabilityCommand } from './availabilityCommand.js';
import { addChainCommand } from './chainCommand.js';
import { addCorruptionCommand } from './corruptionCommand.js';

/** `rmk model`: the models of `@rmk/model` on the command line. */
export function modelCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const command = new Command('model').description(
    'checkpoint corruption, availability, advice from measured numbers, and Markov chains of your own',
  );
  addCorruptionCommand(command, terminal, done);
  addAvailabilityCommand(command, terminal, done);
  addAdviseCommand(command, terminal, done);
  addChainCommand(command, terminal, done);
  return command;
}
