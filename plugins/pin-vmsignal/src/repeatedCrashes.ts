import type { Facts } from '@rmk/core';

/** Crashes of one kind after which the table is suspected rather than the guest. */
const SUSPICIOUS = 5;

/**
 * Notices when user mode crashes with the same cause again and again. That is a fault that every rollback brings back,
 * or the ordinary life of a guest with processes, which needs another table.
 */
export class RepeatedCrashes {
  private readonly crashes = new Map<string, number>();

  /** Counts a crash. Returns what to tell the user, once a cause. */
  hintAt({ cause, privilege }: Facts['signal']): string | undefined {
    if (privilege !== 'user') return undefined;
    const count = (this.crashes.get(cause) ?? 0) + 1;
    this.crashes.set(cause, count);
    if (count !== SUSPICIOUS) return undefined;
    return (
      `${cause} in user mode was a crash ${count} times. If the guest's kernel survives the faults of its processes, ` +
      "set `ordinary: 'linux'` of @rmk/pin-vmsignal"
    );
  }
}
