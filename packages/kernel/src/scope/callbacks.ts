type Callback = (...given: never[]) => unknown;

/** A plugin that gives callbacks to others: its scope. */
interface Giver {
  readonly name: string;
}

/** What callbacks threw, and the plugin that had given each of them to another one. */
const givers = new WeakMap<object, Giver>();

/** The plugin whose callback threw `error`; undefined if no callback did. */
export function giverOf(error: unknown): Giver | undefined {
  return isObject(error) ? givers.get(error) : undefined;
}

/**
 * The functions among the arguments of a call, wrapped so that what they throw is known to be of `giver`. Nothing else
 * changes: whoever calls them gets what they return or throw. A function given twice is the same one both times.
 */
export class Callbacks {
  private readonly wrapped = new WeakMap<object, Callback>();

  constructor(private readonly giver: Giver) {}

  wrapAll(given: readonly unknown[]): readonly unknown[] {
    return given.some(isCallback) ? given.map((one) => (isCallback(one) ? this.wrap(one) : one)) : given;
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

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
