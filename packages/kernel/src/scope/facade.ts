type Method = (...given: never[]) => unknown;

/**
 * An object as someone else sees it: the members of `own` replace those of `real`, and each method call goes through
 * `call`. Methods and accessors run on `real` itself, because a proxy cannot reach private fields.
 */
export function facadeOf<T extends object>(
  real: T,
  own: Partial<T>,
  call: (name: string, method: Method, given: readonly unknown[]) => unknown,
): T {
  /** A method that is read twice is the same one. */
  const methods = new WeakMap<Method, Method>();
  const methodOf = (name: string, method: Method): Method => {
    let wrapped = methods.get(method);
    if (wrapped === undefined) {
      wrapped = new Proxy(method, { apply: (_, __, given) => call(name, method, given) });
      methods.set(method, wrapped);
    }
    return wrapped;
  };
  // Not a proxy of `real` itself, which could not replace frozen members.
  return new Proxy<T>(Object.create(real), {
    get(_, property) {
      if (Object.hasOwn(own, property)) return Reflect.get(own, property) as unknown;
      const value: unknown = Reflect.get(real, property, real);
      return typeof value === 'function' ? methodOf(String(property), value as Method) : value;
    },
    set: (_, property, value) => Reflect.set(real, property, value, real),
  });
}
