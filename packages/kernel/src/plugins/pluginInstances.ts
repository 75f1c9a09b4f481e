import 'reflect-metadata';
import {
  isThenable,
  membersOf,
  messageOf,
  RmkError,
  tokenName,
  type Module,
  type PluginDefinition,
  type Token,
} from '@rmk/core';
import { container as root, injectable, type DependencyContainer } from 'tsyringe';

/** Has no parent: in the global container `@singleton()` and other copies of a plugin register. */
const IsolatedContainer = root.constructor as new () => DependencyContainer;

/** tsyringe itself resolves the parameters. */
type Constructor = new () => Module;

/** The instances of a plugin's classes. */
export interface PluginInstances {
  readonly provided: ReadonlyMap<Token<unknown>, Module>;
  /** Each once, in start order: the provided ones, then the modules, each after what is injected into it. */
  readonly modules: readonly Module[];
}

/**
 * Constructs a plugin's classes, one instance each, in a container that holds what is `injected` and what the plugin
 * itself provides. The container is discarded afterwards.
 */
export function constructPlugin(
  { name, provides = [], modules = [] }: PluginDefinition,
  injected: ReadonlyMap<Token<unknown>, unknown>,
): PluginInstances {
  const container = new IsolatedContainer();
  const instances = new Map<Constructor, Module>();
  const underConstruction = new Set<Constructor>();
  let failure: RmkError | undefined;

  const instanceOf = (by: Constructor): Module => {
    const existing = instances.get(by);
    if (existing !== undefined) return existing;
    try {
      if (underConstruction.has(by))
        throw new Error(`${by.name} is injected into itself, by way of another class`);
      underConstruction.add(by);
      // Read from the tokens that `@inject` left on the class: another copy of tsyringe keeps its `@injectable()` to
      // itself.
      injectable()(by);
      const instance = container.resolve(by);
      if (isThenable(instance)) {
        failure ??= promiseError(name, by, instance);
        throw failure;
      }
      instances.set(by, instance);
      return instance;
    } catch (error) {
      // tsyringe wraps an error once for each class on the way out: report the first one.
      failure ??= startError(name, by, error);
      throw failure;
    }
  };

  // Factories, because tsyringe ignores a provider whose value is undefined.
  for (const [token, value] of injected) container.register(token, { useFactory: () => value });
  for (const { token, by } of provides) container.register(token, { useFactory: () => instanceOf(by) });
  const provided = new Map(provides.map(({ token, by }) => [token, instanceOf(by)]));
  modules.forEach(instanceOf);
  rejectIncomplete(name, provided);
  return { provided, modules: [...instances.values()] };
}

/** A class can return any object from its constructor. */
function promiseError(plugin: string, by: Constructor, instance: PromiseLike<unknown>): RmkError {
  // Nobody else awaits it, and its rejection would end the process.
  Promise.resolve(instance).catch(() => undefined);
  return new RmkError(
    'RMK_ERR_START',
    `${plugin}: the constructor of ${by.name} returned a promise: do what takes time in start()`,
    { plugin },
  );
}

/** An object may have no constructor, because a class can return any object from its own. */
export function className(module: Partial<Module>): string {
  return module.constructor?.name ?? 'a class';
}

/** Throws RMK_ERR_PROVIDES if an object lacks members of its token. */
function rejectIncomplete(plugin: string, provided: ReadonlyMap<Token<unknown>, Module>): void {
  const problems = Array.from(provided).flatMap(([of, object]) => {
    const missing = membersOf(of).filter((member) => !(member in object));
    if (missing.length === 0) return [];
    return [
      {
        path: '',
        message: `${className(object)}, which is to be ${tokenName(of)}, lacks ${missing.join(', ')}: implement all of the token's type, or take it out of \`provides\``,
      },
    ];
  });
  if (problems.length === 0) return;
  throw new RmkError('RMK_ERR_PROVIDES', `${plugin} does not provide what its tokens promise`, {
    plugin,
    problems,
  });
}

/** Translates an error of tsyringe into the terms of the manifest. */
function startError(plugin: string, by: Constructor, error: unknown): RmkError {
  const text = messageOf(error);
  const token = /unregistered dependency token: "(?:Symbol\((?:rmk:)?)?(.*?)\)?"/.exec(text)?.[1];
  if (token !== undefined) {
    const asking = [...text.matchAll(/of "(.*?)" constructor/g)].at(-1)?.[1] ?? by.name;
    return new RmkError(
      'RMK_ERR_START',
      `${plugin}: ${asking} asks for ${token}, which the manifest does not require: add it to \`requires\``,
      { plugin, cause: error },
    );
  }
  return new RmkError('RMK_ERR_START', `${plugin}: the constructor of ${by.name} threw: ${text}`, {
    plugin,
    cause: error,
  });
}
