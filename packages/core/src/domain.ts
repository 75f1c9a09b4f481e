import type { Clock } from './clock.js';
import type { Bus } from './events.js';
import type { Plugin } from './plugin.js';
import type { Token } from './token.js';

export type PluginState = 'starting' | 'active' | 'quarantined' | 'stopping';

export interface PluginStatus {
  readonly name: string;
  readonly version: string;
  readonly state: PluginState;
  /** Names of the plugins that provide what it requires. */
  readonly dependsOn: readonly string[];
  readonly startedInHostMs: number;
  /** Since it was started, in all. */
  readonly faults: number;
  /** What it has registered with the domain and not disposed of: `EVT_…`, `timer`, `fact …`, `TOKEN.method`. */
  readonly registered: readonly string[];
}

/** One protected VM with its own pins, agent, modules, bus and clock. */
export interface Domain {
  readonly name: string;
  /** For the program around the domain: what it publishes has the source `'host'`. */
  readonly bus: Bus;
  readonly clock: Clock;
  /** In the order in which they were started. */
  readonly plugins: readonly PluginStatus[];
  /** What a plugin provides, the object itself, or the DETECTIONS of the kernel. `RMK_ERR_UNKNOWN` where there is none. */
  get<T>(of: Token<T>): T;
  /** Checks, then starts a plugin beside the running guest; on failure nothing has changed. */
  install(plugin: Plugin): Promise<void>;
  /** `RMK_ERR_REQUIRED` where others require what it provides, unless they shall go with it. */
  remove(name: string, how?: { readonly dependants: 'refuse' | 'remove' }): Promise<void>;
  /** Stops every plugin, in reverse. Goes on past failures and reports all of them (`RMK_ERR_STOP`). */
  stop(): Promise<void>;
}
