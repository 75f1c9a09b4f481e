import {
  BUS,
  CHECKPOINTS,
  CLOCK,
  DETECTIONS,
  messageOf,
  OPTIONS,
  RmkError,
  tokenName,
  VIRTUAL_MACHINE,
  type Bus,
  type Clock,
  type Domain,
  type Plugin,
  type PluginStatus,
  type Token,
  type Topic,
  type VirtualMachine,
} from '@rmk/core';
import { EventBus, ScopedBus } from './bus.js';
import { checkPlugins } from './checks.js';
import { historyShortfall, LiveDetections } from './detections.js';
import { Hold } from './hold.js';
import { optionalOf, requiredOf, type CheckedPlugin } from './manifest.js';
import { stopError, type Problem } from './problem.js';
import { RunningPlugin } from './runningPlugin.js';
import type { Scope } from './scope.js';
import { ScopedClock } from './scopedClock.js';
import { scopedMachine } from './scopedMachine.js';
import { scopedProvision } from './scopedProvision.js';
import { HOST, Supervision, type SupervisionOptions } from './supervision.js';

export interface DomainOptions {
  readonly name: string;
  /** This domain's alone until it has stopped; it remains the caller's to close. */
  readonly machine: VirtualMachine;
  /** Started in this order, as far as what they require of each other leaves it open. */
  readonly plugins: readonly Plugin[];
  readonly supervision?: SupervisionOptions;
  /** Called before the first plugin starts: whoever subscribes here misses nothing. */
  readonly observe?: (bus: Bus) => void;
}

/** The domains that have not stopped, by their VM: two would take the hold from each other. */
const occupants = new WeakMap<VirtualMachine, Domain>();

/**
 * Checks all plugins, then starts them, and gives the domain when all have started. Where one is refused
 * (`RMK_ERR_REFUSED`, or the code of the only problem) nothing was run; where one fails to start (`RMK_ERR_START`)
 * those that had started are stopped again. `RMK_ERR_STATE` where another domain has the VM.
 */
export async function createDomain(options: DomainOptions): Promise<Domain> {
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
  private readonly eventBus = new EventBus();
  private readonly supervision: Supervision;
  private readonly host: Scope;
  private readonly warning: Topic<'EVT_WARNING'>;
  /** In start order. */
  private readonly running: RunningPlugin[] = [];
  private readonly detections = new LiveDetections(this.running);
  private lastOperation: Promise<unknown> = Promise.resolve();

  constructor({ name, machine, supervision = {} }: DomainOptions) {
    this.name = name;
    this.machine = machine;
    this.supervision = new Supervision(this.eventBus, machine.clock, this.hold, supervision);
    this.host = this.supervision.scope(HOST);
    this.warning = this.supervision.bus.topic('EVT_WARNING');
    this.bus = new ScopedBus(this.eventBus, this.host);
    this.clock = new ScopedClock(machine.clock, this.host);
  }

  get plugins(): readonly PluginStatus[] {
    return this.running.map(({ status }) => status);
  }

  get<T>(of: Token<T>): T {
    const provider = this.running.find(({ provided }) => provided.has(of));
    const found = of === DETECTIONS ? this.detections : provider?.provided.get(of);
    if (found !== undefined) return found as T;
    throw new RmkError(
      'RMK_ERR_UNKNOWN',
      `no plugin of the domain ${this.name} provides ${tokenName(of)}: install one that does`,
    );
  }

  begin({ plugins, observe }: DomainOptions): Promise<void> {
    return this.exclusively(async () => {
      this.occupy();
      try {
        const inOrder = await checkPlugins(plugins, [], this.machine);
        this.machine.holdWhile(this.hold.pending);
        observe?.(this.bus);
        await this.startAll(inOrder);
      } catch (error) {
        this.vacate();
        throw error;
      }
    });
  }

  install(plugin: Plugin): Promise<void> {
    return this.exclusively(async () => {
      this.refuseWhenStopped('install');
      const running = this.running.map(({ checked }) => checked);
      await this.startAll(await checkPlugins([plugin], running, this.machine));
    });
  }

  remove(
    name: string,
    how: { readonly dependants: 'refuse' | 'remove' } = { dependants: 'refuse' },
  ): Promise<void> {
    return this.exclusively(async () => {
      this.refuseWhenStopped('remove');
      const plugin = this.running.find((one) => one.name === name);
      if (plugin === undefined) {
        const names = this.running.map((one) => one.name).join(', ') || 'none';
        throw new RmkError(
          'RMK_ERR_UNKNOWN',
          `no plugin of the domain ${this.name} is named ${name}: choose one of those that are (${names})`,
        );
      }
      const dependants = this.dependantsOf(plugin);
      if (dependants.length > 0 && how.dependants === 'refuse') throw requiredError(plugin, dependants);
      const problems = await this.stopAll([plugin, ...dependants]);
      this.warnOfShortHistory();
      throwIfAny(problems);
    });
  }

  stop(): Promise<void> {
    return this.exclusively(async () => {
      const problems = await this.stopAll([...this.running]);
      this.vacate();
      throwIfAny(problems);
    });
  }

  private occupy(): void {
    const { machine, name } = this;
    const occupant = occupants.get(machine);
    if (occupant === undefined) {
      occupants.set(machine, this);
      return;
    }
    throw new RmkError(
      'RMK_ERR_STATE',
      `the VM ${machine.name} belongs to the domain ${occupant.name}: stop that one before ${name} is made, or give ${name} a VM of its own`,
    );
  }

  private vacate(): void {
    this.host.close('stopped');
    // Another domain may have it by now, where this one is stopped a second time.
    if (occupants.get(this.machine) === this) occupants.delete(this.machine);
  }

  /** Runs one operation after the other, and holds the VM meanwhile. */
  private exclusively(operation: () => Promise<void>): Promise<void> {
    const result = this.lastOperation.then(operation);
    this.lastOperation = result.catch(() => {});
    this.hold.add(this.lastOperation);
    return result;
  }

  private refuseWhenStopped(operation: string): void {
    if (this.host.closed === undefined) return;
    throw new RmkError(
      'RMK_ERR_STATE',
      `${operation}: the domain ${this.name} has stopped: make another one with createDomain`,
    );
  }

  /** Starts plugins beside those that run; where one fails, those that were started here are stopped again. */
  private async startAll(inOrder: readonly CheckedPlugin[]): Promise<void> {
    const starting = inOrder.map((checked) => this.enter(checked));
    try {
      for (const plugin of starting) await plugin.start(this.injected(plugin));
    } catch (error) {
      const problems = await this.stopAll(starting);
      if (problems.length === 0) throw error;
      throw new RmkError(
        'RMK_ERR_START',
        'a plugin failed to start, and stopping the others failed as well',
        {
          problems: [messageOf(error), ...problems.map(({ message }) => message)],
          cause: error,
        },
      );
    }
    this.warnOfShortHistory();
  }

  private enter(checked: CheckedPlugin): RunningPlugin {
    const providers = this.running.filter(
      (one) => requiredOf(checked, one.checked).length > 0 || optionalOf(checked, one.checked).length > 0,
    );
    const plugin = new RunningPlugin(checked, this.supervision.scope(checked.name), providers);
    this.running.push(plugin);
    return plugin;
  }

  /** What the classes of a plugin may ask for: that which everyone gets, and what its manifest requires. */
  private injected({ checked, scope, providers }: RunningPlugin): ReadonlyMap<Token<unknown>, unknown> {
    const provided = new Map<Token<unknown>, unknown>([
      [DETECTIONS, this.detections],
      [VIRTUAL_MACHINE, scopedMachine(this.machine, scope)],
      ...providers.flatMap(({ provided: objects }) =>
        Array.from(
          objects,
          ([token, object]) => [token, scopedProvision(object, tokenName(token), scope)] as const,
        ),
      ),
    ]);
    const { requires = [], optional = [] } = checked.definition;
    return new Map<Token<unknown>, unknown>([
      ...optional.map((token) => [token, provided.get(token)] as const),
      ...requires
        .filter((token) => provided.has(token))
        .map((token) => [token, provided.get(token)] as const),
      [BUS, new ScopedBus(this.eventBus, scope)],
      [CLOCK, new ScopedClock(this.machine.clock, scope)],
      [OPTIONS, checked.options],
    ]);
  }

  /** Stops plugins, given in start order, in reverse; gives what failed on the way. */
  private async stopAll(plugins: readonly RunningPlugin[]): Promise<readonly Problem[]> {
    const problems: Problem[] = [];
    for (const plugin of [...plugins].toReversed()) {
      problems.push(...(await plugin.stop()));
      this.running.splice(this.running.indexOf(plugin), 1);
    }
    return problems;
  }

  /** Those that cannot be without `plugin`, in start order. */
  private dependantsOf(plugin: RunningPlugin): readonly RunningPlugin[] {
    const leaving = new Set([plugin]);
    for (const one of this.running)
      if (one.providers.some((by) => leaving.has(by) && requiredOf(one.checked, by.checked).length > 0))
        leaving.add(one);
    leaving.delete(plugin);
    return [...leaving];
  }

  private warnOfShortHistory(): void {
    const agent = this.running.find(({ provided }) => provided.has(CHECKPOINTS));
    agent?.scope.attempt(
      'CHECKPOINTS',
      () => {
        const message = historyShortfall(this.get(CHECKPOINTS), this.detections);
        if (message === undefined) return;
        this.warning.publish({ atNs: this.clock.now(), code: 'RMK_WARN_HISTORY', message });
      },
      undefined,
    );
  }
}

function requiredError(plugin: RunningPlugin, dependants: readonly RunningPlugin[]): RmkError {
  const problems = dependants.flatMap((one) =>
    one.providers
      .filter((provider) => provider === plugin || dependants.includes(provider))
      .flatMap((provider) => requiredOf(one.checked, provider.checked).map((token) => ({ provider, token })))
      .map(({ provider, token }) => `${one.name} requires ${tokenName(token)} of ${provider.name}`),
  );
  return new RmkError(
    'RMK_ERR_REQUIRED',
    `${plugin.name} cannot be removed, others need it: remove them first, or with it by { dependants: 'remove' }`,
    { plugin: plugin.name, problems },
  );
}

function throwIfAny([first, ...others]: readonly Problem[]): void {
  if (first !== undefined) throw stopError([first, ...others]);
}
