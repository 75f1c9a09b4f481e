import 'reflect-metadata';
import {
  membersOf,
  messageOf,
  RmkError,
  tokenName,
  type Module,
  type PluginDefinition,
  type Token,
} from '@rmk/core';
import { container as root, type DependencyContainer } from 'tsyringe';

/** Without the global one as a parent, where `@singleton()` and other copies of a plugin register. */
const IsolatedContainer = root.constructor as new () => DependencyContainer;

/** tsyringe finds out by itself what to pass. */
type Constructor = new () => Module;

/** The instances of a plugin's classes. */
export interface PluginInstances {
  readonly provided: ReadonlyMap<Token<unknown>, Module>;
  /** Each once, in start order: what is provided, then the modules, and each after what is injected into it. */
  readonly modules: readonly Module[];
}

/**
 * Constructs a plugin's classes in a container of its own, which holds what is `injected` and what the plugin itself
 * provides, one instance of each class, and is dropped thereafter.
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
      const instance = container.resolve(by);
      instances.set(by, instance);
      return instance;
    } catch (error) {
      // tsyringe wraps each error once for each class on the way out: the first one is the one to tell.
      failure ??= startError(name, by, error);
      throw failure;
    }
  };

  // Factories, since tsyringe takes a provider whose value is undefined for none.
  for (const [token, value] of injected) container.register(token, { useFactory: () => value });
  for (const { token, by } of provides) container.register(token, { useFactory: () => instanceOf(by) });
  const provided = new Map(provides.map(({ token, by }) => [token, instanceOf(by)]));
  modules.forEach(instanceOf);
  refuseLies(name, provided);
  return { provided, modules: [...instances.values()] };
}

/** An object may come without one: what a constructor returns is the class's to say. */
export function className(module: Partial<Module>): string {
  return module.constructor?.name ?? 'a class';
}

/** `RMK_ERR_PROVIDES` where an object lacks members that its token says it has. */
function refuseLies(plugin: string, provided: ReadonlyMap<Token<unknown>, Module>): void {
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

/** Says in the terms of the manifest what tsyringe says in its own. */
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
  if (/TypeInfo not known|undefined constructor/.test(text)) {
    return new RmkError(
      'RMK_ERR_START',
      `${plugin}: ${by.name} cannot be injected: put @injectable() on the class and @inject(TOKEN) on each parameter of its constructor, and let tsyringe be a peer dependency`,
      { plugin, cause: error },
    );
  }
  return new RmkError('RMK_ERR_START', `${plugin}: the constructor of ${by.name} threw: ${text}`, {
    plugin,
    cause: error,
  });
}
