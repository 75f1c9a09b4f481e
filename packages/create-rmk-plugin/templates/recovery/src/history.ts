import { stateKey, type Nanoseconds } from '@rmk/core';

/** What outlives a restart of this plugin. */
export class History {
  /** Domain times of the recoveries that still count. */
  recoveredAtNs: readonly Nanoseconds[] = [];
  givenUp = false;
  /** Restarts of the guest that are known of. Undefined before the first start. */
  restarts: number | undefined;

  /** Someone else restarted the guest: what failed before no longer counts. */
  clear(): void {
    this.recoveredAtNs = [];
    this.givenUp = false;
  }
}

export const HISTORY = stateKey(() => new History());
