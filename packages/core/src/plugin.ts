import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Clock } from './clock.js';
import type { Detection } from './detection.js';
import type { EventName } from './events.js';
import type { Capability, VirtualMachine } from './machine.js';
import { token, type Token } from './token.js';

/** What a plugin's classes may have: the kernel calls both, pins first, modules last, and stops in reverse. */
export interface Module {
  /**
   * Every object has one. A type with only optional members accepts no class that shares none of them. With this member
   * it accepts a class without `start` and `stop`, and still checks the shape of those that exist.
   */
  readonly constructor: { readonly name: string };
  start?(): void | Promise<void>;
  stop?(): void | Promise<void>;
}

/** A class whose constructor parameters all carry `@inject(TOKEN)`. */
export type Class<T = Module> = new (...injected: never[]) => T;

/** A token and the class whose one instance stands behind it. */
export interface Provision<T = unknown> {
  readonly token: Token<T>;
  readonly by: Class<T & Module>;
}

export function provide<T>(of: Token<T>, by: Class<T & Module>): Provision<T> {
  return { token: of, by };
}

/**
 * What happens to the domain when a plugin fails to start. `'abort'`: creation fails, or `install` changes nothing.
 * `'continue'`: the domain continues without the plugin and those that require it. `'quarantine'`: as `'continue'`, but
 * the plugin is retried like one that was quarantined for its faults. Default: `'abort'`.
 */
export type OnFailure = 'abort' | 'continue' | 'quarantine';

/** What a plugin declares. The kernel checks all of it before it runs any code of the plugin. */
export interface Manifest {
  /** The npm name of its package. */
  readonly name: string;
  readonly version: string;
  /** The versions of RMK that it works with, as a semver range. */
  readonly rmk: string;
  /**
   * Besides BUS, CLOCK, OPTIONS and INSTALLATION_STATE, which everyone gets. What other plugins provide comes as a
   * facade: a `Disposable` or `AsyncDisposable` that one of its methods returns, or that its promise resolves to, is
   * released with the plugin that called; after that its calls are refused. What a callback given to it throws is a
   * fault of the plugin that gave it. An exclusive token goes to one plugin of a domain only (`RMK_ERR_EXCLUSIVE`).
   */
  readonly requires?: readonly Token<unknown>[];
  /**
   * As `requires`, if a plugin provides it that is active when this one starts. Otherwise `undefined` is injected. A
   * provider that failed or was quarantined by then, and becomes active later, restarts this plugin, which then gets
   * it. A provider that is installed later does not.
   */
  readonly optional?: readonly Token<unknown>[];
  readonly provides?: readonly Provision[];
  /** What the hypervisor must be able to do. */
  readonly capabilities?: readonly Capability[];
  /**
   * Names of plugins that, where installed, start after or before this one. Others may be named: they are not waited
   * for.
   */
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  /** Those that it publishes or listens to, besides this package's own. */
  readonly events?: readonly EventName[];
  /** The author's choice; the program that creates the domain may override it. */
  readonly onFailure?: OnFailure;
  /** Classes that provide nothing: they subscribe and act. */
  readonly modules?: readonly Class[];
  /**
   * Plugins that are installed with this one, ahead of it, unless plugins of their names are. Each has a life of its
   * own: it continues when this one is restarted, quarantined or removed.
   */
  readonly companions?: readonly Plugin[];
}

/** What a bound may depend on: no more of the VM is shown to `detects`. */
export type MachineTraits = Pick<VirtualMachine, 'schedulingIntervalNs' | 'capabilities'>;

/** A manifest with what depends on its options. */
export interface PluginDefinition<S extends StandardSchemaV1 = StandardSchemaV1> extends Manifest {
  /** Any Standard Schema; its output is injected as OPTIONS. Without one the plugin takes no options. */
  readonly options?: S;
  /** Called while the plugins are checked, when nothing has been started: it computes, and does nothing else. */
  readonly detects?: (
    options: StandardSchemaV1.InferOutput<S>,
    machine: MachineTraits,
  ) => readonly Detection[];
}

/** Inert data: a definition and the options that the user gave, not looked at yet. */
export interface Plugin {
  readonly definition: PluginDefinition;
  readonly options: unknown;
}

type OptionsOf<S extends StandardSchemaV1> = StandardSchemaV1.InferInput<S>;

/** Makes a plugin. Without required options the factory can be called with none. */
export type PluginFactory<S extends StandardSchemaV1> =
  Record<never, never> extends OptionsOf<S>
    ? (options?: OptionsOf<S>) => Plugin
    : (options: OptionsOf<S>) => Plugin;

export function definePlugin<S extends StandardSchemaV1>(
  definition: PluginDefinition<S> & { readonly options: S },
): PluginFactory<S>;
export function definePlugin(definition: PluginDefinition & { readonly options?: never }): () => Plugin;
export function definePlugin(definition: PluginDefinition): (options?: unknown) => Plugin {
  return (options) => ({ definition, options });
}

/** The plugin's own options, validated; its type is what the plugin's schema gives. */
export const OPTIONS = token<unknown>('OPTIONS');
export const CLOCK = token<Clock>('CLOCK');
