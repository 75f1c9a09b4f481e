import { LONGEST_TIMER_MS, nanoseconds, type Clock, type Nanoseconds } from '@rmk/core';
import type { Hold } from '../scope/hold.js';
import type { InstalledPlugin } from '../plugins/installedPlugin.js';
import type { SupervisionOptions } from './supervision.js';

const LONGEST_FACTOR = 64;

interface Wait {
  factor: number;
  /** When the plugin was last restarted after this wait. */
  endedAtNs: Nanoseconds;
  /** When the plugin is due, in domain time. */
  readonly dueNs: Nanoseconds;
  timer: Disposable | undefined;
  /** Runs while the VM is suspended. */
  hostTimer?: NodeJS.Timeout;
}

/**
 * Restarts quarantined plugins after a wait that grows each time. The wait is domain time. While the VM is suspended
 * and no handler is pending, domain time is paused, so the rest of the wait passes in host time. A recovery suspends
 * the VM within a handler, so its duration does not count, and results stay deterministic.
 */
export class RestartBackoff {
  private readonly waits = new WeakMap<InstalledPlugin, Wait>();
  private readonly waiting = new Set<InstalledPlugin>();
  private readonly restartAfterNs: Nanoseconds;
  private isSuspended = false;

  constructor(
    private readonly clock: Clock,
    private readonly hold: Hold,
    { restartAfter = '2s' }: SupervisionOptions,
    private readonly restart: (plugin: InstalledPlugin) => void,
  ) {
    this.restartAfterNs = restartAfter === 'never' ? Infinity : nanoseconds(restartAfter);
  }

  schedule(plugin: InstalledPlugin): void {
    if (this.restartAfterNs === Infinity) return;
    const before = this.waits.get(plugin);
    const factor = before === undefined || this.hasBeenHealthy(before) ? 1 : before.factor * 2;
    const limited = Math.min(factor, LONGEST_FACTOR);
    const waitNs = limited * this.restartAfterNs;
    const wait: Wait = {
      factor: limited,
      endedAtNs: 0,
      dueNs: this.clock.now() + waitNs,
      timer: undefined,
    };
    this.cancel(plugin);
    this.waits.set(plugin, wait);
    this.waiting.add(plugin);
    wait.timer = this.clock.after(waitNs, () => this.elapsed(plugin, wait));
    if (this.isSuspended) this.waitInHostTime(plugin, wait);
  }

  private elapsed(plugin: InstalledPlugin, wait: Wait): void {
    this.cancel(plugin);
    wait.endedAtNs = this.clock.now();
    this.restart(plugin);
  }

  /** A plugin suspended the VM, or resumed it, through the port. */
  suspended(isSuspended: boolean): void {
    this.isSuspended = isSuspended;
    for (const plugin of this.waiting) {
      const wait = this.waits.get(plugin);
      clearTimeout(wait?.hostTimer);
      if (isSuspended && wait !== undefined) this.waitInHostTime(plugin, wait);
    }
  }

  private waitInHostTime(plugin: InstalledPlugin, wait: Wait): void {
    const leftMs = Math.max(0, wait.dueNs - this.clock.now()) / 1e6;
    const elapsed = (): void => {
      // While a handler is pending, nothing may depend on how long the host takes.
      if (this.hold.pending() === undefined) this.elapsed(plugin, wait);
      else this.waitInHostTime(plugin, wait);
    };
    clearTimeout(wait.hostTimer);
    // Keeps the process alive: with a suspended VM nothing else may be pending. Stopping the domain cancels it.
    wait.hostTimer = setTimeout(elapsed, Math.min(leftMs, LONGEST_TIMER_MS));
  }

  private hasBeenHealthy({ factor, endedAtNs }: Wait): boolean {
    return this.clock.now() - endedAtNs >= factor * this.restartAfterNs;
  }

  /** Called if the plugin stops, or someone else restarts it. */
  cancel(plugin: InstalledPlugin): void {
    if (!this.waiting.delete(plugin)) return;
    const wait = this.waits.get(plugin);
    wait?.timer?.[Symbol.dispose]();
    clearTimeout(wait?.hostTimer);
  }
}
