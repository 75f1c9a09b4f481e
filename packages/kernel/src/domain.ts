import {
  DETECTIONS,
  isThenable,
  RmkError,
  Sequencer,
  tokenName,
  type Bus,
  type Clock,
  type Domain,
  type InstallOptions,
  type Plugin,
  type PluginState,
  type PluginStatus,
  type Token,
  type Topic,
  type VirtualMachine,
} from '@rmk/core';
import { EventBus, ScopedBus } from './bus/bus.js';
import { checkPlugins } from './plugins/checks.js';
import { DeclaredEvents } from './bus/declaredEvents.js';
import { HOST } from './bus/sources.js';
import { LiveDetections } from './plugins/detections.js';
import { Hold } from './scope/hold.js';
import { HostProvisions } from './plugins/hostProvisions.js';
import {
  checkDomainOptions,
  checkInstallOptions,
  checkRemoveOptions,
  type DomainOptions,
} from './domainOptions.js';
import type { InstalledPlugin, Limits } from './plugins/installedPlugin.js';
import { Lifecycle, requiredError } from './plugins/lifecycle.js';
import { readOnFailure } from './plugins/manifest.js';
import { claimMachine, releaseMachine } from './machineOwnership.js';
import { RestartBackoff } from './supervision/restartBackoff.js';
import type { Scope } from './scope/scope.js';
import { ScopedClock } from './scope/scopedClock.js';
import { Supervision } from './supervision/supervision.js';
import { Timeout } from './supervision/timeout.js';

/**
 * Checks all plugins, then starts them. Resolves once all have started. If a check fails (RMK_ERR_REFUSED, or the code
 * of the only problem), no plugin code runs. If a plugin fails to start (RMK_ERR_START), those that started are stopped
 * again, unless its `onFailure` lets the domain continue without it. Throws RMK_ERR_STATE if another domain owns the
 * VM, and RMK_ERR_INPUT with everything that is wrong with `options`.
 */
export async function createDomain(options: DomainOptions): Promise<Domain> {
  checkDomainOptions(options);
  const domain = new SupervisedDomain(options);
  await domain.begin(options);
  return domain;
}

class SupervisedDomain implements Domain {
  readonly name: string;
  readonly bus: Bus;
  readonly clock: Clock;
  private readonly machine: VirtualMachine;
  private readonly hold = new Hold();
  private readonly supervision: Supervision;
  private readonly host: Scope;
  private readonly warning: Topic<'EVT_WARNING'>;
  private readonly pluginChanged: Topic<'EVT_PLUGINCHANGED'>;
  /** In start order. */
  private readonly installed: InstalledPlugin[] = [];
  private readonly detections = new LiveDetections(this.installed);
  private readonly limits: Limits;
  private readonly lifecycle: Lifecycle;
  private readonly restartBackoff: RestartBackoff;
  private readonly provisions: HostProvisions;
  private readonly operations = new Sequencer();

  constructor({ name, machine, events = [], supervision = {}, timeouts = {} }: DomainOptions) {
    this.name = name;
    this.machine = machine;
    const eventBus = new EventBus(new DeclaredEvents(this.installed, events));
    this.supervision = new Supervision(
      eventBus,
      machine,
      this.hold,
      (scope, reason) => this.quarantined(scope, reason),
      supervision,
    );
    const { bus } = this.supervision;
    this.warning = bus.topic('EVT_WARNING');
    this.pluginChanged = bus.topic('EVT_PLUGINCHANGED');
    this.restartBackoff = new RestartBackoff(machine.clock, this.hold, supervision, (plugin) =>
      this.revive(plugin),
    );
    this.host = this.supervision.scope(HOST);
    this.provisions = new HostProvisions(name, this.installed, this.host);
    this.bus = new ScopedBus(eventBus, this.host);
    this.clock = new ScopedClock(machine.clock, this.host);
    const { start = '10s', stop = '10s' } = timeouts;
    this.limits = { start: new Timeout(start), stop: new Timeout(stop) };
    this.lifecycle = new Lifecycle(
      this.installed,
      {
        machine,
        eventBus,
        detections: this.detections,
        suspended: (isSuspended) => this.restartBackoff.suspended(isSuspended),
      },
      {
        limits: this.limits,
        newScope: (plugin) => this.supervision.scope(plugin),
        changed: (plugin, from, reason) => this.changed(plugin, from, reason),
      },
      (plugin, error) => this.leftOut(plugin, error),
    );
  }

  get plugins(): readonly PluginStatus[] {
    return this.installed.map(({ status }) => status);
  }

  get<T>(of: Token<T>): T {
    refuseNoToken('domain.get', of);
    this.refuseWhenStopped(`domain.get(${tokenName(of)})`);
    if (of === DETECTIONS) return this.detections as T;
    return this.provisions.get(of);
  }

  release(of: Token<unknown>): void {
    refuseNoToken('domain.release', of);
    this.refuseWhenStopped(`domain.release(${tokenName(of)})`);
    this.provisions.release(of);
  }

  begin({ plugins, onFailure = {}, observe }: DomainOptions): Promise<void> {
    return this.exclusively(async () => {
      claimMachine(this.machine, this);
      try {
        const inOrder = await checkPlugins(plugins, [], this.machine, this.limits.start);
        const stated = readOnFailure(onFailure, inOrder);
        this.machine.holdWhile(this.hold.pending);
        await this.lifecycle.startAll(
          inOrder,
          ({ name, definition }) => stated.get(name) ?? definition.onFailure,
          () => observeSynchronously(observe, this.bus),
        );
      } catch (error) {
        this.end();
        throw error;
      }
    });
  }

  install(plugin: Plugin, how: InstallOptions = {}): Promise<void> {
    return this.exclusively(async () => {
      this.refuseWhenStopped('install');
      checkInstallOptions(how);
      const { onFailure } = how;
      const installed = this.installed.map(({ checked }) => checked);
      const inOrder = await checkPlugins(
        [plugin],
        installed,
        this.machine,
        this.limits.start,
        this.provisions.held,
      );
      const overrides = onFailure === undefined ? {} : { [plugin.definition.name]: onFailure };
      const stated = readOnFailure(overrides, inOrder);
      await this.lifecycle.startAll(
        inOrder,
        ({ name, definition }) => stated.get(name) ?? definition.onFailure,
      );
    });
  }

  remove(
    name: string,
    how: { readonly dependants: 'refuse' | 'remove' } = { dependants: 'refuse' },
  ): Promise<void> {
    return this.exclusively(async () => {
      this.refuseWhenStopped('remove');
      checkRemoveOptions(how);
      const plugin = this.find(name);
      const dependants = this.lifecycle.dependantsOf(plugin);
      if (dependants.length > 0 && how.dependants !== 'remove') throw requiredError(plugin, dependants);
      const leaving = [plugin, ...dependants];
      const { stopping, starting } = await this.lifecycle.removeFromUnder(leaving);
      const names = leaving.map((one) => one.name).join(', ');
      throwIfAny([...stopping, ...starting], (count) =>
        starting.length === 0
          ? stopFailed(count)
          : {
              code: 'RMK_ERR_START',
              reason: `${names} ${leaving.length === 1 ? 'was' : 'were'} removed, with ${counted(stopping.length, 'failure')} while stopping; ${counted(starting.length, 'plugin')} that used something of it failed to start again`,
            },
      );
    });
  }

  restart(name: string): Promise<void> {
    return this.exclusively(async () => {
      this.refuseWhenStopped('restart');
      throwIfAny(await this.lifecycle.restart(this.find(name), 'restarted by the host', 'host'), (count) => ({
        code: 'RMK_ERR_START',
        reason: `${count} plugins failed to start again after the restart of ${name}`,
      }));
    });
  }

  stop(): Promise<void> {
    return this.exclusively(async () => {
      const errors = await this.lifecycle.removeAll([...this.installed]);
      this.end();
      throwIfAny(errors, stopFailed);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private find(name: string): InstalledPlugin {
    const plugin = this.installed.find((one) => one.name === name);
    if (plugin !== undefined) return plugin;
    const names = this.installed.map((one) => one.name).join(', ') || 'none';
    throw new RmkError(
      'RMK_ERR_UNKNOWN',
      `no plugin of the domain ${this.name} is named ${name}: choose one of those that are (${names})`,
    );
  }

  private changed(plugin: InstalledPlugin, from: PluginState, reason: string | undefined): void {
    const { name, state: to } = plugin;
    if (to === 'quarantined') this.restartBackoff.schedule(plugin);
    if (to === 'stopping' || to === 'removed') this.restartBackoff.cancel(plugin);
    const { provides = [] } = plugin.checked.definition;
    const change = {
      atNs: this.machine.clock.now(),
      plugin: name,
      from,
      to,
      provides: provides.map(({ token }) => tokenName(token)),
    };
    this.pluginChanged.publish(reason === undefined ? change : { ...change, reason });
  }

  /** The plugin had too many faults, and its registrations are released already. */
  private quarantined(scope: Scope, reason: string): void {
    const plugin = this.installed.find((one) => one.scope === scope);
    if (plugin?.state === 'active' || plugin?.state === 'starting') plugin.become('quarantined', reason);
  }

  private leftOut({ name, state }: InstalledPlugin, error: RmkError): void {
    const atNs = this.machine.clock.now();
    if (state === 'quarantined') this.supervision.quarantinedAtStart(name, atNs);
    const message = `the domain ${this.name} goes on without ${name}: ${error.message}`;
    this.warning.publish({ atNs, code: 'RMK_WARN_FAILED', message });
  }

  private revive(plugin: InstalledPlugin): void {
    // Events report it if the plugin fails again. Nobody could catch anything else.
    this.exclusively(async () => {
      if (this.installed.includes(plugin) && plugin.state === 'quarantined')
        await this.lifecycle.restart(plugin, 'its quarantine is over', 'kernel');
    }).catch((error: unknown) => plugin.scope.fault('restart', 0, error));
  }

  private end(): void {
    this.host.close('stopped');
    // A promise that never settles would hold the VM for the next domain too.
    this.host.abandon();
    releaseMachine(this.machine, this);
  }

  /** Runs one operation after the other. The VM is held while one is pending. */
  private exclusively(operation: () => Promise<void>): Promise<void> {
    const result = this.operations.run(operation);
    this.hold.add(result);
    return result;
  }

  private refuseWhenStopped(operation: string): void {
    if (this.host.closed === undefined) return;
    throw new RmkError(
      'RMK_ERR_STATE',
      `${operation}: the domain ${this.name} has stopped: make another one with createDomain`,
    );
  }
}

function refuseNoToken(operation: string, given: unknown): void {
  if (typeof given === 'symbol') return;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `${operation}: expected a token, such as DETECTIONS, given ${typeof given} (undefined often comes of an import cycle)`,
  );
}

function observeSynchronously(observe: DomainOptions['observe'], bus: Bus): void {
  const result: unknown = observe?.(bus);
  if (!isThenable(result)) return;
  result.then(undefined, () => {});
  throw new RmkError(
    'RMK_ERR_INPUT',
    'createDomain: observe returned a promise: let it subscribe and return',
  );
}

/** What several errors are combined into. */
type Combined = Parameters<typeof RmkError.combining>[1];

function throwIfAny([first, ...others]: readonly RmkError[], combined: (count: number) => Combined): void {
  if (first === undefined) return;
  throw RmkError.combining([first, ...others], combined(others.length + 1));
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function stopFailed(count: number): Combined {
  return { code: 'RMK_ERR_STOP', reason: `${count} failures; the plugins were stopped nevertheless` };
}
