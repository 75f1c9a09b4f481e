import type { Clock } from './clock.js';
import type { RmkError } from './rmkError.js';
import type { Bus } from './events.js';
import type { OnFailure, Plugin } from './plugin.js';
import type { PluginState } from './pluginState.js';
import type { Token } from './token.js';

export interface PluginStatus {
  readonly name: string;
  readonly version: string;
  readonly state: PluginState;
  /** Names of the plugins that provide what it requires, or optionally uses. */
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

/** One protected VM with its own pins, agent, modules, bus and clock. Disposing of it (`await using`) stops it. */
export interface Domain extends AsyncDisposable {
  readonly name: string;
  /** For the program around the domain: what it publishes has the source `'host'`. */
  readonly bus: Bus;
  readonly clock: Clock;
  /** In the order in which they were started. */
  readonly plugins: readonly PluginStatus[];
  /**
   * What a plugin provides, or the DETECTIONS of the kernel. Throws `RMK_ERR_UNKNOWN` if no plugin provides it. The
   * caller may keep it: once the plugin is removed, failed or quarantined, its methods throw `RMK_ERR_INACTIVE`. Throws
   * `RMK_ERR_EXCLUSIVE` for an exclusive token that a plugin holds. A plugin cannot get one that the host has taken
   * until the host releases it.
   */
  get<T>(of: Token<T>): T;
  /**
   * Gives back an exclusive token that `get` gave, so that a plugin may have it. The object from `get` then throws
   * `RMK_ERR_STATE`. Throws `RMK_ERR_STATE` if the host does not hold the token.
   */
  release(of: Token<unknown>): void;
  /**
   * Checks a plugin, then starts it while the guest runs. If it fails to start, nothing changes, unless `onFailure`
   * keeps it in the domain as a failed one.
   */
  install(plugin: Plugin, how?: InstallOptions): Promise<void>;
  /** Throws `RMK_ERR_REQUIRED` if others require what it provides, unless `dependants` is `'remove'`. */
  remove(name: string, how?: { readonly dependants: 'refuse' | 'remove' }): Promise<void>;
  /**
   * Stops a plugin and those that require what it provides, and starts new instances of them, also after a failure or
   * quarantine. If it fails again, its `onFailure` applies; `'abort'` leaves it failed. Throws the error of the plugin
   * that failed, or RMK_ERR_START with those of all.
   */
  restart(name: string): Promise<void>;
  /** Stops every plugin, in reverse. Goes on past failures and reports all of them (`RMK_ERR_STOP`). */
  stop(): Promise<void>;
}
