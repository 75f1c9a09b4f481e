import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { RmkError, type Nanoseconds } from '@rmk/core';
import { EmbeddedMachine } from './embeddedMachine.js';
import {
  checkRunOptions,
  checkTiming,
  type HypervisorOptions,
  type MachineOptions,
  type Timing,
} from './machineOptions.js';

export interface RunOptions {
  /** Domain time at which each VM stops; without it they run until none can go on. */
  readonly untilNs?: Nanoseconds;
  /** Ends the run between two slices. */
  readonly signal?: AbortSignal;
}

/**
 * Runs several VMs in turns. Each has a clock of its own and nothing in common with the others, so the turns change
 * no result; the one that is furthest behind in its domain time goes next.
 */
export class EmbeddedHypervisor {
  private readonly timing: Timing;
  private vms: readonly EmbeddedMachine[] = [];
  private running = false;

  /** `RMK_ERR_INPUT` with every problem and its path. */
  constructor(options: HypervisorOptions = {}) {
    this.timing = checkTiming(options);
  }

  /** Those that have not been closed. */
  get machines(): readonly EmbeddedMachine[] {
    return this.vms.filter(({ isClosed }) => !isClosed);
  }

  /** `RMK_ERR_INPUT` for bad options or a name that is taken, `RMK_ERR_ELF` for an ELF that cannot be run. */
  createMachine(options: MachineOptions): EmbeddedMachine {
    const machine = new EmbeddedMachine(options, this.timing);
    if (this.machines.some(({ name }) => name === machine.name)) {
      throw new RmkError(
        'RMK_ERR_INPUT',
        `there is a VM ${JSON.stringify(machine.name)} already; choose another name`,
      );
    }
    this.vms = [...this.machines, machine];
    return machine;
  }

  /**
   * Runs all VMs until each is off, suspended, closed, halted forever, or at `untilNs`. `RMK_ERR_STATE` while it runs,
   * `RMK_ERR_INPUT` for invalid options.
   */
  async run(options: RunOptions = {}): Promise<void> {
    checkRunOptions(options);
    const { untilNs = Infinity, signal } = options;
    if (this.running)
      throw new RmkError('RMK_ERR_STATE', 'the hypervisor runs already; await that run first');
    this.running = true;
    try {
      await this.schedule(untilNs, signal);
    } finally {
      this.running = false;
    }
  }

  /** Closes all VMs. */
  async close(): Promise<void> {
    await Promise.all(this.vms.map((machine) => machine.close()));
    this.vms = [];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async schedule(untilNs: Nanoseconds, signal: AbortSignal | undefined): Promise<void> {
    const startedAt = performance.now();
    const startedNs = new Map(this.vms.map((machine) => [machine, machine.clock.now()]));
    for (;;) {
      if (signal?.aborted === true) return;
      const next = this.next(untilNs);
      if (next === undefined) {
        const held = this.vms.flatMap((machine) => machine.held() ?? []);
        // What is held may be rolled back or resumed by what it waits for: only then is it known that all are done.
        if (held.length === 0) return;
        await anyOf(held, signal);
        continue;
      }
      next.runQuantum(untilNs);
      const ranNs = next.clock.now() - (startedNs.get(next) ?? 0);
      if (this.timing.wallClock) await wait(Math.max(0, ranNs / 1e6 - (performance.now() - startedAt)));
      else await nextTurn();
    }
  }

  /** Once a slice of each VM: a pass over all VMs that allocates nothing. */
  private next(untilNs: Nanoseconds): EmbeddedMachine | undefined {
    let behind: EmbeddedMachine | undefined;
    let behindNs = untilNs;
    for (const machine of this.vms) {
      if (!machine.isRunnable || machine.held() !== undefined) continue;
      const now = machine.clock.now();
      if (now >= behindNs) continue;
      behind = machine;
      behindNs = now;
    }
    return behind;
  }
}

/** Waits for the first of `pending`, or until `signal` aborts. */
async function anyOf(pending: readonly Promise<void>[], signal: AbortSignal | undefined): Promise<void> {
  const done = new AbortController();
  const aborted = new Promise<void>((resolve) => {
    signal?.addEventListener('abort', () => resolve(), { signal: done.signal });
  });
  await Promise.race([...pending, aborted]);
  done.abort();
}
