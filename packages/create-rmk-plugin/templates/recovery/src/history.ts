import type { Nanoseconds } from '@rmk/core';
import type { PluginNameOptions } from './options.js';

/** What outlives a restart of this plugin. */
export interface History {
  /** Domain times of the recoveries that still count. */
  recoveredAtNs: readonly Nanoseconds[];
  givenUp: boolean;
}

const byOptions = new WeakMap<PluginNameOptions, History>();

/** The kernel injects the same options each time it starts the plugin, until the plugin is removed. */
export function historyOf(options: PluginNameOptions): History {
  const known = byOptions.get(options) ?? { recoveredAtNs: [], givenUp: false };
  byOptions.set(options, known);
  return known;
}
