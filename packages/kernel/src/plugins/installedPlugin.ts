import {
  messageOf,
  RmkError,
  type Module,
  type OnFailure,
  type PluginState,
  type PluginStatus,
  type Token,
} from '@rmk/core';
import { KeptState } from './keptState.js';
import type { CheckedPlugin } from './manifest.js';
import { className, constructPlugin } from './pluginInstances.js';
import type { Scope } from '../scope/scope.js';
import type { Timeout } from '../supervision/timeout.js';

export type Limits = { readonly start: Timeout; readonly stop: Timeout };

/** What an {@link InstalledPlugin} needs of its domain. */
export interface PluginHost {
  readonly limits: Limits;
  newScope(name: string): Scope;
  changed(plugin: InstalledPlugin, from: PluginState, reason: string | undefined): void;
}

/** One plugin of a domain, from its installation to its removal. Each start creates a new scope and new instances. */
export class InstalledPlugin {
  state: PluginState = 'pending';
  scope: Scope;
  provided: ReadonlyMap<Token<unknown>, Module> = new Map();
  /** The plugins that provide what it requires or optionally uses. */
  providers: readonly InstalledPlugin[] = [];
  /** The plugins whose provisions it optionally uses, and that were not active when it started. */
  without: readonly InstalledPlugin[] = [];
  /** Why it failed to start. */
  error: RmkError | undefined;
  restarts = 0;
  readonly keptState = new KeptState();
  /** Why it failed or is quarantined. */
  private outOfUse: string | undefined;
  private readonly started: Module[] = [];
  private startedInHostMs = 0;

  constructor(
    readonly checked: CheckedPlugin,
    /** What the host or the author chose. Undefined if neither did. */
    readonly statedOnFailure: OnFailure | undefined,
    private readonly pluginHost: PluginHost,
  ) {
    this.scope = pluginHost.newScope(checked.name);
  }

  get name(): string {
    return this.checked.name;
  }

  get onFailure(): OnFailure {
    return this.statedOnFailure ?? 'abort';
  }

  get status(): PluginStatus {
    const { name, state, startedInHostMs, onFailure, error, restarts, outOfUse } = this;
    const { faults, registered } = this.scope;
    const { version } = this.checked.definition;
    const dependsOn = this.providers.map((provider) => provider.name);
    const status = {
      name,
      version,
      state,
      dependsOn,
      startedInHostMs,
      onFailure,
      restarts,
      faults,
      registered,
    };
    return {
      ...status,
      ...(error === undefined ? {} : { error }),
      ...(outOfUse === undefined ? {} : { reason: outOfUse }),
    };
  }

  become(to: PluginState, reason?: string): void {
    const from = this.state;
    this.state = to;
    this.outOfUse = to === 'failed' || to === 'quarantined' ? reason : undefined;
    if (from !== to) this.pluginHost.changed(this, from, reason);
  }

  /**
   * Constructs the classes of the plugin, then starts them in order. After a failure {@link stop} or {@link giveUp}
   * clean up.
   */
  async start(injected: ReadonlyMap<Token<unknown>, unknown>): Promise<void> {
    this.become('starting');
    const beganHostMs = performance.now();
    try {
      const { provided, modules } = constructPlugin(this.checked.definition, injected);
      this.provided = provided;
      for (const module of modules) {
        await this.startModule(module);
        this.started.push(module);
      }
    } finally {
      this.startedInHostMs = performance.now() - beganHostMs;
    }
    // It may have been quarantined during its start.
    if (this.scope.closed === undefined) this.become('active');
  }

  private async startModule(module: Module): Promise<void> {
    const { limits } = this.pluginHost;
    let starting: unknown;
    let inTime: boolean;
    try {
      starting = module.start?.();
      inTime = starting === undefined || (await limits.start.completesWithin(starting));
    } catch (cause) {
      const message = `${this.name}: start() of ${className(module)} threw: ${messageOf(cause)}`;
      throw new RmkError('RMK_ERR_START', message, { plugin: this.name, cause });
    }
    if (inTime) return;
    this.stopWhenStarted(module, starting);
    throw new RmkError(
      'RMK_ERR_TIMEOUT',
      `${this.name}: start() of ${className(module)} has not finished within ${limits.start.limit} of host time: ` +
        'let it set a timer or a subscription for what takes long, or raise timeouts.start',
      { plugin: this.name },
    );
  }

  /** A late start is useless, but may have acquired something outside the domain. */
  private stopWhenStarted(module: Module, starting: unknown): void {
    const { scope } = this;
    Promise.resolve(starting)
      .then(() => module.stop?.())
      .catch((error: unknown) => scope.fault('start', 0, error));
  }

  /** Cleans up after a failed start. */
  async giveUp(error: RmkError, as: 'failed' | 'quarantined'): Promise<void> {
    this.error = error;
    this.reportAll(await this.stopModules(as));
    this.become(as, error.message);
  }

  /** Stops the instances in reverse and releases everything that the plugin registered. Returns what failed. */
  async stop(): Promise<readonly RmkError[]> {
    if (this.state !== 'pending') this.become('stopping');
    return this.stopModules('stopped');
  }

  /** Stops the plugin and prepares it for another {@link start}. */
  async reset(reason: string): Promise<void> {
    this.reportAll(await this.stop());
    this.scope = this.pluginHost.newScope(this.name);
    this.provided = new Map();
    this.error = undefined;
    this.restarts += 1;
    this.startedInHostMs = 0;
    this.become('pending', reason);
  }

  private reportAll(errors: readonly RmkError[]): void {
    for (const error of errors) this.scope.fault('stop', 0, error.cause ?? error);
  }

  private async stopModules(why: 'stopped' | 'failed' | 'quarantined'): Promise<readonly RmkError[]> {
    // A pending handler, such as a recovery, may still need what the plugin has.
    const errors: RmkError[] = await this.unfinished();
    for (const module of this.started.splice(0).toReversed()) {
      const stop = `${this.name}: stop() of ${className(module)}`;
      try {
        const stopping: unknown = module.stop?.();
        if (stopping === undefined || (await this.pluginHost.limits.stop.completesWithin(stopping))) continue;
        errors.push(this.late(`${stop} has`));
      } catch (cause) {
        const message = `${stop} threw: ${messageOf(cause)}`;
        errors.push(new RmkError('RMK_ERR_STOP', message, { plugin: this.name, cause }));
      }
    }
    this.scope.close(why);
    errors.push(...(await this.unfinished()));
    return errors;
  }

  /** Waits for pending handlers. */
  private async unfinished(): Promise<RmkError[]> {
    const { work } = this.scope;
    for (let pending = work.pending(); pending !== undefined; pending = work.pending()) {
      if (await this.pluginHost.limits.stop.completesWithin(pending)) continue;
      const during = this.scope.underWay.join(', ');
      // The handler may never settle, and the guest must not stay paused forever.
      this.scope.abandon();
      return [this.late(`what it began in ${during} has`)];
    }
    return [];
  }

  private late(what: string): RmkError {
    const { limit } = this.pluginHost.limits.stop;
    const about = what.startsWith(this.name) ? what : `${this.name}: ${what}`;
    const message = `${about} not finished within ${limit} of host time, and the kernel stopped waiting. Fix it, or raise timeouts.stop.`;
    return new RmkError('RMK_ERR_TIMEOUT', message, { plugin: this.name });
  }
}
