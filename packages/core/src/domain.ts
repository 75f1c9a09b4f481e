import type { Clock } from './clock.js';
import type { RmkError } from './errors.js';
import type { Bus } from './events.js';
import type { OnFailure, Plugin } from './plugin.js';
import type { Token } from './token.js';

/**
 * `'pending'`: others start before it. `'failed'`: it could not be started. `'quarantined'`: it had too many faults, or
 * failed to start and is to be tried again. `'removed'` is only told by EVT_PLUGINCHANGED: the domain knows it no more.
 */
export type PluginState =
  'pending' | 'starting' | 'active' | 'failed' | 'quarantined' | 'stopping' | 'removed';

export interface PluginStatus {
  readonly name: string;
  readonly version: string;
  readonly state: PluginState;
  /** Names of the plugins that provide what it requires, or takes where there is one. */
  readonly dependsOn: readonly string[];
  /** For its construction and start; 0 where it was not started. */
  readonly startedInHostMs: number;
  readonly onFailure: OnFailure;
  /** How often it was started again in this domain. */
  readonly restarts: number;
  /** Why it failed to start; absent where it did not. */
  readonly error?: RmkError;
  /** Why it has failed or is quarantined: the message of `error`, or how many faults it had and the last of them. */
  readonly reason?: string;
  /** Since it was started, in all. */
  readonly faults: number;
  /** What it has registered with the domain and not disposed of: `EVT_…`, `timer`, `fact …`, `TOKEN.method`. */
  readonly registered: readonly string[];
}

export interface InstallOptions {
  /** In the place of what the plugin's author has said. */
  readonly onFailure?: OnFailure;
}

/** One protected VM with its own pins, agent, modules, bus and clock. */
export interface Domain {
  readonly name: string;
  /** For the program around the domain: what it publishes has the source `'host'`. */
  readonly bus: Bus;
  readonly clock: Clock;
  /** In the order in which they were started. */
  readonly plugins: readonly PluginStatus[];
  /**
   * What a plugin provides, or the DETECTIONS of the kernel. `RMK_ERR_UNKNOWN` where there is none. It may be kept: once
   * the plugin is removed, has failed or is quarantined, its methods refuse to be called (`RMK_ERR_INACTIVE`). An exclusive
   * token that a plugin holds is refused (`RMK_ERR_EXCLUSIVE`); one that the host has taken no plugin gets any more.
   */
  get<T>(of: Token<T>): T;
  /**
   * Checks, then starts a plugin beside the running guest. Where it fails to start, nothing has changed, unless
   * `onFailure` lets the domain go on with it as a failed one.
   */
  install(plugin: Plugin, how?: InstallOptions): Promise<void>;
  /** `RMK_ERR_REQUIRED` where others require what it provides, unless they shall go with it. */
  remove(name: string, how?: { readonly dependants: 'refuse' | 'remove' }): Promise<void>;
  /**
   * Stops a plugin and those that require what it provides, and starts them again, anew: one that was quarantined or has
   * failed comes back to life. Where it fails again, it is as its `onFailure` says, an `'abort'` leaving it failed.
   */
  restart(name: string): Promise<void>;
  /** Stops every plugin, in reverse. Goes on past failures and reports all of them (`RMK_ERR_STOP`). */
  stop(): Promise<void>;
}
