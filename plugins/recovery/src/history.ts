import { stateKey, type RmkEvents } from '@rmk/core';
import { Restarts } from './restarts.js';

/** What a VM was given up for. */
export type GivenUp = Pick<RmkEvents['EVT_RECOVERYFAILED'], 'trigger' | 'attempts'>;

/** What a recovery knows about its VM, and keeps over restarts of its plugin. */
export class History {
  readonly restarts = new Restarts();
  /** Undefined unless the VM is given up. */
  givenUp: GivenUp | undefined;
  /** Restarts of the VM that the recovery knows of. Undefined before its first start. */
  vmRestarts: number | undefined;

  /** Someone else restarted the VM: what failed before no longer counts. */
  clear(): void {
    this.restarts.clear();
    this.givenUp = undefined;
  }
}

export const HISTORY = stateKey(() => new History());
