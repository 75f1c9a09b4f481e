import { isExclusive, RmkError, tokenName, type Token } from '@rmk/core';
import type { InstalledPlugin } from './installedPlugin.js';
import type { Scope } from '../scope/scope.js';
import { scopedProvision } from '../scope/scopedProvision.js';

/** What `domain.get` returns to the host. Each start of a plugin has facades of its own. */
export class HostProvisions {
  /** Exclusive rights that the host has taken. No plugin can get them any more. */
  readonly held = new Set<Token<unknown>>();
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
        `no plugin of the domain ${this.domain} provides ${tokenName(of)}: install one that does`,
      );
    }
    const object = plugin.provided.get(of);
    if (object === undefined || plugin.state === 'failed') throw unavailable(plugin, of);
    this.takeIfExclusive(of);
    const facades = this.facades.get(plugin.scope) ?? new Map<Token<unknown>, object>();
    this.facades.set(plugin.scope, facades);
    const facade = facades.get(of) ?? scopedProvision(object, of, this.host, plugin.scope);
    facades.set(of, facade);
    return facade as T;
  }

  private takeIfExclusive(of: Token<unknown>): void {
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
    this.held.add(of);
  }
}

function unavailable({ name, state, error }: InstalledPlugin, of: Token<unknown>): RmkError {
  const why = error === undefined ? '' : ` (${error.message})`;
  const message = `${tokenName(of)} is not available: ${name}, which provides it, is ${state}${why}. Fix and restart ${name}.`;
  return new RmkError('RMK_ERR_INACTIVE', message, { plugin: name });
}
