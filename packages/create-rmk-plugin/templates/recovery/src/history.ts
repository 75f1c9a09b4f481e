import { stateKey, type Nanoseconds } from '@rmk/core';

/** What outlives a restart of this plugin. */
export class History {
  /** Domain times of the recoveries that still count. */
  recoveredAtNs: readonly Nanoseconds[] = [];
  givenUp = false;
}

export const HISTORY = stateKey(() => new History());
