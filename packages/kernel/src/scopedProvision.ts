import { facadeOf } from './facade.js';
import type { Scope } from './scope.js';

/**
 * What another plugin provides, as one plugin sees it: a `Disposable` that a method returns is registered in the scope
 * of that plugin, so it is released with it, and calls are refused (`RMK_ERR_STATE`) once the scope is closed.
 */
export function scopedProvision<T extends object>(provided: T, name: string, scope: Scope): T {
  return facadeOf(provided, {}, (methodName, method, given) => {
    const label = `${name}.${methodName}`;
    scope.refuseWhenClosed(`call ${label}`);
    const result: unknown = Reflect.apply(method, provided, given);
    return isRegistration(result) ? registered(result, label, scope) : result;
  });
}

function registered(result: Disposable, label: string, scope: Scope): Disposable {
  // In the course of the call the plugin may have been quarantined.
  if (scope.closed !== undefined) result[Symbol.dispose]();
  const registration = scope.register(label, () => result);
  const own = { [Symbol.dispose]: () => registration[Symbol.dispose]() };
  return facadeOf(result, own, (_, method, given) => Reflect.apply(method, result, given));
}

/** Iterators are disposable as well (where the engine knows of it), yet nothing that is held. */
function isRegistration(result: unknown): result is Disposable {
  return (
    typeof result === 'object' && result !== null && Symbol.dispose in result && !(Symbol.iterator in result)
  );
}
