import { Command } from 'commander';
import { planRun } from '../config/runPlan.js';
import type { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { observeRun, type RunFlags } from './observeRun.js';

/** `rmk run`: protects guests as a config file describes them. */
export function runCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('run')
    .description('protect the guests that a config file describes, and run them to their end')
    .argument('<config>', 'in TypeScript, JavaScript or JSON')
    .option('--json', 'print only events, each as a line of JSON')
    .option('--verbose', "show each fault of a plugin with the stack of the plugin's own code")
    .action(async (config: string, flags: RunFlags) => {
      done(await observeRun(await planRun(config), terminal, flags));
    });
}
