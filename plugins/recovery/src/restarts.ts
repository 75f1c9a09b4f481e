import type { Nanoseconds } from '@rmk/core';

/** When a recovery restarted its VM. */
export class Restarts {
  private all: readonly Nanoseconds[] = [];

  add(atNs: Nanoseconds): void {
    this.all = [...this.all, atNs];
  }

  /** How many came after `sinceNs`. Forgets the others. */
  since(sinceNs: Nanoseconds): number {
    this.all = this.all.filter((atNs) => atNs > sinceNs);
    return this.all.length;
  }

  clear(): void {
    this.all = [];
  }
}
