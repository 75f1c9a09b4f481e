import { messageOf, RmkError, type Module, type PluginState, type PluginStatus, type Token } from '@rmk/core';
import type { CheckedPlugin } from './manifest.js';
import { constructPlugin } from './pluginInstances.js';
import type { Problem } from './problem.js';
import type { Scope } from './scope.js';

/** One plugin of a domain, from its construction until it has stopped. */
export class RunningPlugin {
  private phase: 'starting' | 'active' | 'stopping' = 'starting';
  provided: ReadonlyMap<Token<unknown>, Module> = new Map();
  private readonly started: Module[] = [];
  private startedInHostMs = 0;

  constructor(
    readonly checked: CheckedPlugin,
    readonly scope: Scope,
    /** Those that provide what it requires. */
    readonly providers: readonly RunningPlugin[],
  ) {}

  get name(): string {
    return this.checked.name;
  }

  get state(): PluginState {
    return this.scope.closed === 'quarantined' && this.phase !== 'stopping' ? 'quarantined' : this.phase;
  }

  get status(): PluginStatus {
    const { name, state, startedInHostMs } = this;
    const { faults, registered } = this.scope;
    const { version } = this.checked.definition;
    const dependsOn = this.providers.map((provider) => provider.name);
    return { name, version, state, dependsOn, startedInHostMs, faults, registered };
  }

  /** Constructs the classes of the plugin, then starts them in order. Where that fails, {@link stop} undoes it. */
  async start(injected: ReadonlyMap<Token<unknown>, unknown>): Promise<void> {
    const beganHostMs = performance.now();
    const { provided, modules } = constructPlugin(this.checked.definition, injected);
    this.provided = provided;
    for (const module of modules) {
      try {
        await module.start?.();
      } catch (cause) {
        const message = `${this.name}: start() of ${className(module)} threw: ${messageOf(cause)}`;
        throw new RmkError('RMK_ERR_START', message, { plugin: this.name, cause });
      }
      this.started.push(module);
    }
    this.startedInHostMs = performance.now() - beganHostMs;
    this.phase = 'active';
  }

  /** Stops what was started, in reverse, and releases all that the plugin registered. Gives what failed on the way. */
  async stop(): Promise<readonly Problem[]> {
    this.phase = 'stopping';
    const problems: Problem[] = [];
    for (const module of this.started.splice(0).toReversed()) {
      try {
        await module.stop?.();
      } catch (cause) {
        const message = `${this.name}: stop() of ${className(module)} threw: ${messageOf(cause)}`;
        problems.push({ code: 'RMK_ERR_STOP', plugin: this.name, message, cause });
      }
    }
    this.scope.close('stopped');
    return problems;
  }
}

function className(module: Module): string {
  return module.constructor.name;
}
