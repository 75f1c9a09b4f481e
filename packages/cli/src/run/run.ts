import { onDiagnostic } from '@rmk/core';
import type { RunPlan } from '../config/runPlan.js';
import type { GuestFiles } from './guestOutput.js';
import { keepAlive } from './keepAlive.js';
import { outputFiles } from './outputFiles.js';
import { ProtectedGuest } from './protectedGuest.js';
import type { RunObserver } from './runObserver.js';
import type { RunSummary } from './runSummary.js';
import { stopAll } from './stopAll.js';

/**
 * Protects the guests of a plan, runs them to their end, and closes its hypervisor. Aborting `signal` ends the run in
 * order: while a guest boots, or between two slices. Throws, with nothing left running, what `createDomain` throws, and
 * `RMK_ERR_INPUT` for a directory for the output that cannot be.
 */
export async function run(plan: RunPlan, observer: RunObserver, signal: AbortSignal): Promise<RunSummary> {
  const { hypervisor, untilNs = Infinity, output } = plan;
  try {
    const files = typeof output === 'string' ? undefined : outputFiles(output.directory);
    const early = new EarlyEvents(observer);
    // Until the summary, which is the last line: what comes after it becomes a warning of the process.
    using _ = onDiagnostic((diagnostic) => early.diagnostic(diagnostic));
    const guests = await startAll(plan, early, files, signal).catch((error: unknown) => {
      if (signal.aborted && error === signal.reason) return undefined;
      throw error;
    });
    if (guests === undefined) {
      const summary: RunSummary = { endedBy: 'interruption', guests: [], problems: [] };
      observer.ended(summary);
      return summary;
    }
    observer.started(guests);
    early.passOn();
    // A handler that never settles holds its guest. Without this the process would end in silence then.
    const alive = keepAlive();
    try {
      await hypervisor.run({ untilNs, signal });
    } catch (error) {
      await stopAll(guests);
      throw error;
    } finally {
      alive[Symbol.dispose]();
    }
    const summaries = guests.map((guest) => guest.summary(untilNs, signal.aborted));
    const problems = [...(await stopAll(guests)), ...guests.flatMap((guest) => guest.finishOutput())];
    const isUntil = summaries.some(({ ending }) => ending === 'running');
    const endedBy = signal.aborted ? 'interruption' : isUntil ? 'until' : 'guests';
    const summary: RunSummary = { endedBy, guests: summaries, problems };
    observer.ended(summary);
    return summary;
  } finally {
    await hypervisor.close();
  }
}

async function startAll(
  { guests, domains }: RunPlan,
  observer: RunObserver,
  files: ((guest: string) => GuestFiles) | undefined,
  signal: AbortSignal,
): Promise<readonly ProtectedGuest[]> {
  const started: ProtectedGuest[] = [];
  try {
    for (const guest of guests) {
      const how = files === undefined ? { signal } : { signal, files: files(guest.name) };
      started.push(await ProtectedGuest.start(guest, domains, observer, how));
    }
  } catch (error) {
    await stopAll(started);
    throw error;
  }
  return started;
}

/** Keeps what happens while the domains start until all have started: a run that never begins reports nothing. */
class EarlyEvents implements RunObserver {
  private kept: (() => void)[] | undefined = [];

  constructor(private readonly observer: RunObserver) {}

  readonly started: RunObserver['started'] = (guests) => this.pass(() => this.observer.started(guests));
  readonly output: RunObserver['output'] = (...about) => {
    if (this.kept !== undefined && this.observer.booting !== undefined) this.observer.booting(...about);
    else this.pass(() => this.observer.output(...about));
  };
  readonly event: RunObserver['event'] = (...about) => this.pass(() => this.observer.event(...about));
  readonly diagnostic: RunObserver['diagnostic'] = (...about) =>
    this.pass(() => this.observer.diagnostic(...about));
  readonly ended: RunObserver['ended'] = (summary) => this.pass(() => this.observer.ended(summary));

  passOn(): void {
    for (const report of this.kept ?? []) report();
    this.kept = undefined;
  }

  private pass(report: () => void): void {
    if (this.kept === undefined) report();
    else this.kept.push(report);
  }
}
