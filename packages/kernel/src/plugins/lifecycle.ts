import { hasCode, messageOf, RmkError, tokenName, type OnFailure } from '@rmk/core';
import { injectedInto, type KernelParts } from './injection.js';
import { InstalledPlugin, type PluginHost } from './installedPlugin.js';
import { optionalOf, requiredOf, type CheckedPlugin } from './manifest.js';

/** Who restarts plugins: the host with `restart`, or the kernel after a quarantine or a removal. */
export type RestartedBy = 'host' | 'kernel';

/** Starts, stops and restarts the plugins of a domain. The domain calls one operation at a time. */
export class Lifecycle {
  constructor(
    /** In start order. */
    private readonly installed: InstalledPlugin[],
    private readonly parts: KernelParts,
    private readonly pluginHost: PluginHost,
    private readonly leftOut: (plugin: InstalledPlugin, error: RmkError) => void,
  ) {}

  /**
   * Starts plugins, given in start order, beside the installed ones. If one fails whose `onFailure` is `'abort'`, stops
   * and removes all of them again.
   */
  async startAll(
    inOrder: readonly CheckedPlugin[],
    onFailureOf: (plugin: CheckedPlugin) => OnFailure | undefined,
    /** Called once the plugins are listed, before the first one starts. */
    entered: () => void = () => {},
  ): Promise<void> {
    const starting = inOrder.map(
      (checked) => new InstalledPlugin(checked, onFailureOf(checked), this.pluginHost),
    );
    this.installed.push(...starting);
    try {
      entered();
      for (const plugin of starting) {
        const failure = await this.start(plugin, starting);
        if (failure?.aborts === true) throw failure.error;
      }
    } catch (error) {
      const errors = await this.removeAll(starting);
      if (errors.length === 0) throw error;
      const first = hasCode(error)
        ? error
        : new RmkError('RMK_ERR_START', messageOf(error), { cause: error });
      throw RmkError.combining([first, ...errors], {
        code: 'RMK_ERR_START',
        reason: 'a plugin failed to start, and stopping the others failed as well',
      });
    }
  }

  /** Stops and removes plugins in reverse order (they are given in start order). Returns what failed. */
  async removeAll(plugins: readonly InstalledPlugin[]): Promise<readonly RmkError[]> {
    const errors: RmkError[] = [];
    for (const plugin of plugins.toReversed()) errors.push(...(await this.remove(plugin)));
    return errors;
  }

  private async remove(plugin: InstalledPlugin): Promise<readonly RmkError[]> {
    const errors = await plugin.stop();
    this.installed.splice(this.installed.indexOf(plugin), 1);
    plugin.become('removed');
    return errors;
  }

  /**
   * Removes plugins, given in start order. Plugins that optionally used something of them are restarted without it.
   * Returns what failed while they stopped, and why others failed to start again.
   */
  async removeFromUnder(
    leaving: readonly InstalledPlugin[],
  ): Promise<{ readonly stopping: readonly RmkError[]; readonly starting: readonly RmkError[] }> {
    const reason = `${leaving.map(({ name }) => name).join(', ')} is removed`;
    const users = this.usersOf(leaving);
    const stopping: RmkError[] = [];
    for (const plugin of users.toReversed()) {
      if (leaving.includes(plugin)) stopping.push(...(await this.remove(plugin)));
      else await plugin.reset(reason);
    }
    const staying = users.filter((plugin) => !leaving.includes(plugin));
    return { stopping, starting: await this.startAgain(staying, 'kernel') };
  }

  /**
   * Stops a plugin and all that use what it provides, and starts them again. Returns why some failed. A plugin that
   * fails when the kernel restarts it is retried with backoff, because its `onFailure` applies to the first start only.
   */
  async restart(plugin: InstalledPlugin, reason: string, by: RestartedBy): Promise<readonly RmkError[]> {
    return this.restartAll(this.usersOf([plugin]), reason, by);
  }

  private async restartAll(
    plugins: readonly InstalledPlugin[],
    reason: string,
    by: RestartedBy,
  ): Promise<readonly RmkError[]> {
    for (const plugin of plugins.toReversed()) await plugin.reset(reason);
    return this.startAgain(plugins, by);
  }

  /** The plugins that require what `plugin` provides, directly or not, in start order. */
  dependantsOf(plugin: InstalledPlugin): readonly InstalledPlugin[] {
    return this.closure([plugin], requires).filter((one) => one !== plugin);
  }

  /** Includes `plugins` themselves. */
  private usersOf(plugins: readonly InstalledPlugin[]): readonly InstalledPlugin[] {
    return this.closure(plugins, () => true);
  }

  /** `plugins` and every plugin that is linked to them through its providers, directly or not, in start order. */
  private closure(
    plugins: readonly InstalledPlugin[],
    isLink: (one: InstalledPlugin, provider: InstalledPlugin) => boolean,
  ): readonly InstalledPlugin[] {
    const found = new Set(plugins);
    for (const one of this.installed) {
      if (one.providers.some((provider) => found.has(provider) && isLink(one, provider))) found.add(one);
    }
    return this.installed.filter((one) => found.has(one));
  }

  /** From now on these plugins are the last in start order. */
  private async startAgain(
    plugins: readonly InstalledPlugin[],
    by: RestartedBy,
  ): Promise<readonly RmkError[]> {
    for (const plugin of plugins) {
      this.installed.splice(this.installed.indexOf(plugin), 1);
      this.installed.push(plugin);
    }
    const errors: RmkError[] = [];
    for (const plugin of plugins) {
      const failure = await this.start(plugin, plugins, by);
      if (failure === undefined) continue;
      errors.push(failure.error);
      // Nothing is left to abort, because the others run.
      if (failure.aborts) await this.leaveOut(plugin, failure.error, 'failed');
    }
    return [...errors, ...(await this.restartUsersWithout(plugins))];
  }

  /**
   * Restarts the plugins that started while one of `providers`, which they optionally use, was not active, and now is.
   */
  private async restartUsersWithout(providers: readonly InstalledPlugin[]): Promise<readonly RmkError[]> {
    const back = providers.filter(({ state }) => state === 'active');
    const users = this.installed.filter(
      ({ state, without }) => state === 'active' && without.some((provider) => back.includes(provider)),
    );
    if (users.length === 0) return [];
    const reason = `${back.map(({ name }) => name).join(', ')} is active again`;
    return this.restartAll(this.usersOf(users), reason, 'kernel');
  }

  /** Starts a plugin, one of `together`. If it fails and need not abort the domain, leaves it out. */
  private async start(
    plugin: InstalledPlugin,
    together: readonly InstalledPlugin[],
    by: RestartedBy = 'host',
  ): Promise<{ readonly error: RmkError; readonly aborts: boolean } | undefined> {
    const earlier = this.installed.slice(0, this.installed.indexOf(plugin));
    plugin.providers = earlier.filter((one) => requires(plugin, one) || takes(plugin, one));
    plugin.without = earlier.filter((one) => one.state !== 'active' && wouldTake(plugin, one));
    const error = unprovided(plugin) ?? (await this.attempt(plugin));
    if (error === undefined) return undefined;
    const isDependent = error.code === 'RMK_ERR_DEPENDENCY';
    // The provider's `onFailure` also covers its dependants, unless they state their own.
    const isCovered = isDependent && unprovidedBy(plugin).every((provider) => together.includes(provider));
    const isTriedAgain = !isDependent && (by === 'kernel' || plugin.onFailure === 'quarantine');
    if (!isTriedAgain && (isCovered ? plugin.statedOnFailure : plugin.onFailure) === 'abort')
      return { error, aborts: true };
    await this.leaveOut(plugin, error, isTriedAgain ? 'quarantined' : 'failed');
    return { error, aborts: false };
  }

  private async attempt(plugin: InstalledPlugin): Promise<RmkError | undefined> {
    try {
      await plugin.start(injectedInto(plugin, this.parts));
      return undefined;
    } catch (error) {
      if (hasCode(error)) return error;
      throw error;
    }
  }

  private async leaveOut(
    plugin: InstalledPlugin,
    error: RmkError,
    as: 'failed' | 'quarantined',
  ): Promise<void> {
    await plugin.giveUp(error, as);
    this.leftOut(plugin, error);
  }
}

function requires(one: InstalledPlugin, provider: InstalledPlugin): boolean {
  return requiredOf(one.checked, provider.checked).length > 0;
}

function takes(one: InstalledPlugin, provider: InstalledPlugin): boolean {
  return provider.state === 'active' && wouldTake(one, provider);
}

function wouldTake(one: InstalledPlugin, provider: InstalledPlugin): boolean {
  return optionalOf(one.checked, provider.checked).length > 0;
}

/** The providers of a plugin that are not active. */
function unprovidedBy({ providers }: InstalledPlugin): readonly InstalledPlugin[] {
  return providers.filter(({ state }) => state !== 'active');
}

/** Why a plugin cannot start, if a provider that it requires is not active. */
function unprovided(plugin: InstalledPlugin): RmkError | undefined {
  const problems = unprovidedBy(plugin).flatMap((provider) => {
    const reason = provider.error === undefined ? '' : ` (${provider.error.message})`;
    return requiredOf(plugin.checked, provider.checked).map((token) => ({
      path: '',
      message: `it requires ${tokenName(token)} of ${provider.name}, which ${INACTIVE[provider.state] ?? 'is not active'}${reason}: fix and restart ${provider.name}`,
    }));
  });
  if (problems.length === 0) return undefined;
  const { name } = plugin;
  return new RmkError('RMK_ERR_DEPENDENCY', `${name} cannot start`, {
    plugin: name,
    problems,
  });
}

const INACTIVE: Readonly<Partial<Record<InstalledPlugin['state'], string>>> = {
  failed: 'has failed',
  quarantined: 'is quarantined',
};

/** Why `plugin` cannot be removed without `dependants`. */
export function requiredError(plugin: InstalledPlugin, dependants: readonly InstalledPlugin[]): RmkError {
  const problems = dependants.flatMap((one) =>
    one.providers
      .filter((provider) => provider === plugin || dependants.includes(provider))
      .flatMap((provider) => requiredOf(one.checked, provider.checked).map((token) => ({ provider, token })))
      .map(({ provider, token }) => ({
        path: '',
        message: `${one.name} requires ${tokenName(token)} of ${provider.name}`,
      })),
  );
  return new RmkError(
    'RMK_ERR_REQUIRED',
    `${plugin.name} cannot be removed, others need it: remove them first, or with it by { dependants: 'remove' }`,
    { plugin: plugin.name, problems },
  );
}
