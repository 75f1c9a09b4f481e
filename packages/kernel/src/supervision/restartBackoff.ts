import { nanoseconds, type Clock, type Nanoseconds } from '@rmk/core';
import type { Hold } from '../scope/hold.js';
import type { InstalledPlugin } from '../plugins/installedPlugin.js';
import type { SupervisionOptions } from './supervision.js';
import { LONGEST_TIMER_MS } from './timeout.js';

const LONGEST_FACTOR = 64;

interface Wait {
  factor: number;
  /** When the plugin was last started again because of it. */
  endedAtNs: Nanoseconds;
  /** When the plugin is due, in domain time. */
  readonly dueNs: Nanoseconds;
  timer: Disposable | undefined;
  /** Runs while the VM is suspended. */
  hostTimer?: NodeJS.Timeout;
}

/**
 * Starts quarantined plugins again after a while, and after a longer while each time. The wait is domain time. While the
 * VM is suspended, and no handler is at work, domain time is paused: then the rest of the wait passes in host time.
 * So a recovery, which suspends the VM in a handler, takes no part of it, and results stay deterministic.
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
    private readonly revive: (plugin: InstalledPlugin) => void,
  ) {
    this.restartAfterNs = restartAfter === 'never' ? Infinity : nanoseconds(restartAfter);
  }

  schedule(plugin: InstalledPlugin): void {
    if (this.restartAfterNs === Infinity) return;
    const before = this.waits.get(plugin);
    const factor = before === undefined || this.hasBeenWell(before) ? 1 : before.factor * 2;
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
    this.revive(plugin);
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
      // A handler is at work: what it does must not depend on how long the host takes.
      if (this.hold.pending() === undefined) this.elapsed(plugin, wait);
      else this.waitInHostTime(plugin, wait);
    };
    clearTimeout(wait.hostTimer);
    wait.hostTimer = setTimeout(elapsed, Math.min(leftMs, LONGEST_TIMER_MS));
    wait.hostTimer.unref();
  }

  private hasBeenWell({ factor, endedAtNs }: Wait): boolean {
    return this.clock.now() - endedAtNs >= factor * this.restartAfterNs;
  }

  /** Where the plugin is stopped, or started again by someone else. */
  cancel(plugin: InstalledPlugin): void {
    if (!this.waiting.delete(plugin)) return;
    const wait = this.waits.get(plugin);
    wait?.timer?.[Symbol.dispose]();
    clearTimeout(wait?.hostTimer);
  }
}
