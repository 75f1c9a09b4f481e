import { nanoseconds, type Clock, type Nanoseconds } from '@rmk/core';
import type { InstalledPlugin } from './installedPlugin.js';
import type { SupervisionOptions } from './supervision.js';

const LONGEST_FACTOR = 64;

interface Wait {
  factor: number;
  /** When the plugin was last started again because of it. */
  endedAtNs: Nanoseconds;
  timer: Disposable | undefined;
}

/** Has quarantined plugins started again after a while, and a longer while each time. */
export class RestartBackoff {
  private readonly waits = new WeakMap<InstalledPlugin, Wait>();
  private readonly waiting = new Set<InstalledPlugin>();
  private readonly restartAfterNs: Nanoseconds;

  constructor(
    private readonly clock: Clock,
    { restartAfter = '2s' }: SupervisionOptions,
    private readonly revive: (plugin: InstalledPlugin) => void,
  ) {
    this.restartAfterNs = restartAfter === 'never' ? Infinity : nanoseconds(restartAfter);
  }

  schedule(plugin: InstalledPlugin): void {
    if (this.restartAfterNs === Infinity) return;
    const before = this.waits.get(plugin);
    const factor = before === undefined || this.hasBeenWell(before) ? 1 : before.factor * 2;
    const wait: Wait = { factor: Math.min(factor, LONGEST_FACTOR), endedAtNs: 0, timer: undefined };
    this.cancel(plugin);
    this.waits.set(plugin, wait);
    this.waiting.add(plugin);
    wait.timer = this.clock.after(wait.factor * this.restartAfterNs, () => {
      wait.endedAtNs = this.clock.now();
      this.waiting.delete(plugin);
      this.revive(plugin);
    });
  }

  private hasBeenWell({ factor, endedAtNs }: Wait): boolean {
    return this.clock.now() - endedAtNs >= factor * this.restartAfterNs;
  }

  /** Where the plugin is stopped, or started again by someone else. */
  cancel(plugin: InstalledPlugin): void {
    if (this.waiting.delete(plugin)) this.waits.get(plugin)?.timer?.[Symbol.dispose]();
  }
}
