import { takeFaults } from '@rmk/core';
import { facadeOf } from './facade.js';

type Callback = (...given: never[]) => unknown;

/** A plugin that gives callbacks to others: its scope. */
interface Giver {
  readonly name: string;
  fault(during: string, occurrence: number, error: unknown): void;
}

/** What callbacks threw, and the plugin that had given each of them to another one. */
const givers = new WeakMap<object, Giver>();

/** The plugin whose callback threw `error`; undefined if no callback did. */
export function giverOf(error: unknown): Giver | undefined {
  return isObject(error) ? givers.get(error) : undefined;
}

/**
 * The functions among the arguments of a call, and objects whose methods are callbacks, wrapped so that what they throw
 * is known to be of `giver`. Nothing else changes: whoever calls them gets what they return or throw. A function or an
 * object given twice is the same one both times.
 */
export class Callbacks {
  private readonly wrapped = new WeakMap<object, Callback>();
  private readonly wrappedObjects = new WeakMap<object, object>();

  constructor(private readonly giver: Giver) {}

  /** `methods` are the names of those that are callbacks, of the objects among `given`. */
  wrapAll(given: readonly unknown[], methods: readonly string[] = []): readonly unknown[] {
    const needsWrapping = (one: unknown): boolean => isCallback(one) || hasMethod(one, methods);
    if (!given.some(needsWrapping)) return given;
    return given.map((one) => {
      if (isCallback(one)) return this.wrap(one);
      return hasMethod(one, methods) ? this.wrapObject(one, methods) : one;
    });
  }

  /**
   * The callbacks are properties of the object that is handed on, so calling one goes through no proxy and looks
   * nothing up. All else is read through a facade behind it.
   */
  private wrapObject(object: object, methods: readonly string[]): object {
    const known = this.wrappedObjects.get(object);
    if (known !== undefined) return known;
    const facade = facadeOf(object, {}, (_, method, given) => Reflect.apply(method, object, given));
    const wrapped = Object.create(facade) as object;
    takeFaults(wrapped, (during, error) => this.giver.fault(during, 0, error));
    for (const name of methods) {
      if (isMethod(object, name)) Object.defineProperty(wrapped, name, { value: this.method(object, name) });
    }
    this.wrappedObjects.set(object, wrapped);
    return wrapped;
  }

  private method(object: object, name: string): Callback {
    const methods = object as Readonly<Record<string, Callback>>;
    return (...given) => {
      try {
        const result: unknown = (methods[name] as Callback)(...given);
        return result instanceof Promise ? result.catch((error: unknown) => this.rethrow(error)) : result;
      } catch (error) {
        return this.rethrow(error);
      }
    };
  }

  private wrap(callback: Callback): Callback {
    let wrapped = this.wrapped.get(callback);
    if (wrapped === undefined) {
      wrapped = new Proxy(callback, {
        apply: (_, self, given) => this.call(callback, self, given),
      });
      this.wrapped.set(callback, wrapped);
    }
    return wrapped;
  }

  private call(callback: Callback, self: unknown, given: readonly unknown[]): unknown {
    try {
      const result: unknown = Reflect.apply(callback, self, given);
      return result instanceof Promise ? result.catch((error: unknown) => this.rethrow(error)) : result;
    } catch (error) {
      return this.rethrow(error);
    }
  }

  private rethrow(error: unknown): never {
    // The first one is the one whose code threw: it may have come through callbacks of others.
    if (isObject(error) && !givers.has(error)) givers.set(error, this.giver);
    throw error;
  }
}

function isCallback(value: unknown): value is Callback {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value));
}

function hasMethod(value: unknown, names: readonly string[]): value is object {
  return isObject(value) && names.some((name) => isMethod(value, name));
}

function isMethod(object: object, name: string): boolean {
  return name in object && typeof Reflect.get(object, name) === 'function';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
