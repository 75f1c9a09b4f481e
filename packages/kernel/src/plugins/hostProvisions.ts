import { isExclusive, providerHint, RmkError, tokenName, type Token } from '@rmk/core';
import type { InstalledPlugin } from './installedPlugin.js';
import type { Scope } from '../scope/scope.js';
import { facadeOf } from '../scope/facade.js';
import { scopedProvision } from '../scope/scopedProvision.js';

/** What `domain.get` returns to the host. Each start of a plugin has facades of its own. */
export class HostProvisions {
  /** Exclusive rights that the host has taken, with what it got. No plugin can get them until they are released. */
  private readonly rights = new Map<Token<unknown>, object>();
  /** What the host got of rights that it has released. */
  private readonly released = new WeakSet<object>();
  private readonly facades = new WeakMap<Scope, Map<Token<unknown>, object>>();

  constructor(
    private readonly domain: string,
    private readonly installed: readonly InstalledPlugin[],
    private readonly host: Scope,
  ) {}

  /**
   * Throws RMK_ERR_UNKNOWN if no plugin provides the token, RMK_ERR_INACTIVE if its provider is not active, and
   * RMK_ERR_EXCLUSIVE if a plugin holds this right.
   */
  get<T>(of: Token<T>): T {
    const plugin = this.installed.find(({ checked }) =>
      checked.definition.provides?.some(({ token }) => token === of),
    );
    if (plugin === undefined) {
      throw new RmkError(
        'RMK_ERR_UNKNOWN',
        `no plugin of the domain ${this.domain} provides ${tokenName(of)}. ${providerHint(of)}`,
      );
    }
    const object = plugin.provided.get(of);
    if (object === undefined || plugin.state === 'failed') throw unavailable(plugin, of);
    this.refuseIfHeld(of);
    const facades = this.facades.get(plugin.scope) ?? new Map<Token<unknown>, object>();
    this.facades.set(plugin.scope, facades);
    const facade = facades.get(of) ?? this.facade(object, of, plugin.scope);
    facades.set(of, facade);
    if (isExclusive(of)) this.rights.set(of, facade);
    return facade as T;
  }

  /** Exclusive rights that the host has taken and not released. */
  get held(): ReadonlySet<Token<unknown>> {
    return new Set(this.rights.keys());
  }

  /** Throws RMK_ERR_STATE if the host does not hold the right. */
  release(of: Token<unknown>): void {
    const facade = this.rights.get(of);
    if (facade === undefined) {
      const message = `domain.release: the host does not hold ${tokenName(of)}: release what domain.get gave of an exclusive token`;
      throw new RmkError('RMK_ERR_STATE', message);
    }
    this.rights.delete(of);
    this.released.add(facade);
    for (const { scope } of this.installed) this.facades.get(scope)?.delete(of);
  }

  private facade(object: object, of: Token<unknown>, provider: Scope): object {
    const scoped = scopedProvision(object, of, this.host, provider);
    if (!isExclusive(of)) return scoped;
    const revocable: object = facadeOf(scoped, {}, (name, method, given) => {
      if (this.released.has(revocable)) {
        const message = `the host cannot call ${tokenName(of)}.${name}: it has released this right. Take it again with domain.get.`;
        throw new RmkError('RMK_ERR_STATE', message);
      }
      return Reflect.apply(method, scoped, given);
    });
    return revocable;
  }

  private refuseIfHeld(of: Token<unknown>): void {
    if (!isExclusive(of)) return;
    const holder = this.installed.find(({ checked: { definition } }) =>
      [...(definition.requires ?? []), ...(definition.optional ?? [])].includes(of),
    );
    if (holder !== undefined) {
      throw new RmkError(
        'RMK_ERR_EXCLUSIVE',
        `domain.get: ${tokenName(of)} is a right that ${holder.name} holds: ask that plugin, or remove it`,
        { plugin: holder.name },
      );
    }
  }
}

function unavailable({ name, state, error }: InstalledPlugin, of: Token<unknown>): RmkError {
  const why = error === undefined ? '' : ` (${error.message})`;
  const message = `${tokenName(of)} is not available: ${name}, which provides it, is ${state}${why}. Fix and restart ${name}.`;
  return new RmkError('RMK_ERR_INACTIVE', message, { plugin: name });
}
