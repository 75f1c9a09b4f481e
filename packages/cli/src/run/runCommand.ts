import { Command } from 'commander';
import { colour } from '../colour.js';
import { planRun } from '../config/runPlan.js';
import type { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { Interruption } from './interruption.js';
import { JsonStream } from './jsonStream.js';
import { LiveReport } from './liveReport.js';
import { run } from './run.js';
import { exitCodeOf } from './runSummary.js';

/** `rmk run`: protects guests as a config file describes them. */
export function runCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('run')
    .description('protect the guests that a config file describes, and run them to their end')
    .argument('<config>', 'in TypeScript, JavaScript or JSON')
    .option('--json', 'print only events, each as a line of JSON')
    .option('--verbose', "show each fault of a plugin with the stack of the plugin's own code")
    .action(async (config: string, { json, verbose }: { readonly json?: true; readonly verbose?: true }) => {
      const plan = await planRun(config);
      for (const { warnings } of plan.guests) {
        for (const warning of warnings) terminal.err(`${colour.yellow('warning')}: ${warning}.\n`);
      }
      const observer =
        json === true
          ? new JsonStream(terminal.out, plan.output)
          : new LiveReport(terminal, plan.output, verbose === true);
      const interruption = new Interruption();
      try {
        done(exitCodeOf(await run(plan, observer, interruption.signal)));
      } finally {
        interruption.release();
      }
    });
}
