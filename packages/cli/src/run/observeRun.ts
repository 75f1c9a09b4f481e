import { colour } from '../colour.js';
import type { RunPlan } from '../config/runPlan.js';
import type { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { Interruption } from './interruption.js';
import { JsonStream } from './jsonStream.js';
import { LiveReport } from './liveReport.js';
import { run } from './run.js';
import { exitCodeOf } from './runSummary.js';

/** How a run is shown. */
export interface RunFlags {
  readonly json?: true;
  readonly verbose?: true;
}

/** Runs a plan on a terminal until its end, Ctrl-C or SIGTERM. */
export async function observeRun(
  plan: RunPlan,
  terminal: Terminal,
  { json, verbose }: RunFlags,
): Promise<ExitCode> {
  for (const { warnings } of plan.guests) {
    for (const warning of warnings) terminal.err(`${colour.yellow('warning')}: ${warning}.\n`);
  }
  const observer =
    json === true
      ? new JsonStream(terminal.out, plan.output)
      : new LiveReport(terminal, plan.output, verbose === true);
  const interruption = new Interruption(plan.hypervisor, terminal);
  try {
    return exitCodeOf(await run(plan, observer, interruption.signal));
  } finally {
    interruption.release();
  }
}
