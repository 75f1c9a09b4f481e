import type { Nanoseconds } from '@rmk/core';
import type { RecoveryOptions } from './options.js';

/** When a recovery restarted its VM. */
export interface Restarts {
  add(atNs: Nanoseconds): void;
  /** How many came after `sinceNs`. Forgets the others. */
  since(sinceNs: Nanoseconds): number;
  clear(): void;
}

const byOptions = new WeakMap<RecoveryOptions, Restarts>();

/**
 * The restarts of the installed plugin that has these options. The kernel injects the same object each time it starts
 * the plugin again, so `maxRestarts` holds across restarts of the plugin.
 */
export function restartsOf(options: RecoveryOptions): Restarts {
  const known = byOptions.get(options) ?? noRestarts();
  byOptions.set(options, known);
  return known;
}

function noRestarts(): Restarts {
  let all: readonly Nanoseconds[] = [];
  return {
    add: (atNs) => {
      all = [...all, atNs];
    },
    since: (sinceNs) => {
      all = all.filter((atNs) => atNs > sinceNs);
      return all.length;
    },
    clear: () => {
      all = [];
    },
  };
}
