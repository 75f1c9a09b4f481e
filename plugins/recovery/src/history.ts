import type { RmkEvents } from '@rmk/core';
import type { RecoveryOptions } from './options.js';
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

const byOptions = new WeakMap<RecoveryOptions, History>();

/**
 * The history of the installed plugin that has these options. The kernel injects the same object each time it starts
 * the plugin again, and another one once the plugin has been removed and added again.
 */
export function historyOf(options: RecoveryOptions): History {
  const known = byOptions.get(options) ?? new History();
  byOptions.set(options, known);
  return known;
}
