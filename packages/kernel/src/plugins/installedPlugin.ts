import {
  messageOf,
  RmkError,
  type Module,
  type OnFailure,
  type PluginState,
  type PluginStatus,
  type Token,
} from '@rmk/core';
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

/** One plugin of a domain, from when it is entered until it is removed. Each start gives it a scope and instances anew. */
export class InstalledPlugin {
  state: PluginState = 'pending';
  scope: Scope;
  provided: ReadonlyMap<Token<unknown>, Module> = new Map();
  /** Those that provide what it requires, or takes where there is one. */
  providers: readonly InstalledPlugin[] = [];
  /** Why it could not be started. */
  error: RmkError | undefined;
  restarts = 0;
  /** Why it has failed or is quarantined. */
  private outOfUse: string | undefined;
  private readonly started: Module[] = [];
  private startedInHostMs = 0;

  constructor(
    readonly checked: CheckedPlugin,
    /** What the composer or the author has said; `undefined` where neither has. */
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

  /** Constructs the classes of the plugin, then starts them in order. Where that fails, {@link stop} or {@link giveUp} undo it. */
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
    // In the meantime it may have been quarantined.
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

  /** It comes too late to be of use, yet may have taken hold of something outside of the domain. */
  private stopWhenStarted(module: Module, starting: unknown): void {
    const { scope } = this;
    Promise.resolve(starting)
      .then(() => module.stop?.())
      .catch((error: unknown) => scope.fault('start', 0, error));
  }

  /** Undoes what there is of a start that failed. */
  async giveUp(error: RmkError, as: 'failed' | 'quarantined'): Promise<void> {
    this.error = error;
    this.reportAll(await this.stopModules(as));
    this.become(as, error.message);
  }

  /** Stops what was started, in reverse, and releases all that the plugin registered. Gives what failed on the way. */
  async stop(): Promise<readonly RmkError[]> {
    if (this.state !== 'pending') this.become('stopping');
    return this.stopModules('stopped');
  }

  /** Stops it and makes it ready for another {@link start}. */
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
    // What it is in the midst of, a recovery say, may still need what it has.
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

  /** Waits for the handlers that are under way. */
  private async unfinished(): Promise<RmkError[]> {
    const { work } = this.scope;
    for (let pending = work.pending(); pending !== undefined; pending = work.pending()) {
      if (await this.pluginHost.limits.stop.completesWithin(pending)) continue;
      const during = this.scope.underWay.join(', ');
      // It may never end, and the guest is not to stand still for ever.
      this.scope.abandon();
      return [this.late(`what it began in ${during} has`)];
    }
    return [];
  }

  private late(what: string): RmkError {
    const { limit } = this.pluginHost.limits.stop;
    const about = what.startsWith(this.name) ? what : `${this.name}: ${what}`;
    const message = `${about} not finished within ${limit} of host time and was not waited for any longer: mend it, or raise timeouts.stop`;
    return new RmkError('RMK_ERR_TIMEOUT', message, { plugin: this.name });
  }
}
