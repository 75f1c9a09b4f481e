import { RmkError } from '@rmk/core';
import { facadeOf } from './facade.js';
import type { Closed, Scope } from './scope.js';

/**
 * What another plugin (`provider`) provides, as one plugin sees it: a `Disposable` that a method returns is registered in
 * the scope of that plugin, so it is released with it. Calls are refused once that scope is closed (`RMK_ERR_STATE`), and
 * once the provider's is (`RMK_ERR_INACTIVE`).
 */
export function scopedProvision<T extends object>(
  provided: T,
  name: string,
  scope: Scope,
  provider: Scope,
): T {
  return facadeOf(provided, {}, (methodName, method, given) => {
    const label = `${name}.${methodName}`;
    scope.refuseWhenClosed(`call ${label}`);
    if (provider.closed !== undefined) throw inactive(provider, provider.closed, scope, label);
    const result: unknown = Reflect.apply(method, provided, given);
    return isRegistration(result) ? registered(result, label, scope) : result;
  });
}

const INACTIVE: Readonly<Record<Closed, string>> = {
  quarantined: 'is quarantined for its faults: wait until it is started again, or restart it',
  failed: 'has failed: mend it and restart it',
  stopped:
    'was removed or started anew: get what is there now by `domain.get`, or install a plugin that provides it',
};

function inactive(provider: Scope, why: Closed, caller: Scope, label: string): RmkError {
  const message = `${caller.name} cannot call ${label}: ${provider.name}, which provides it, ${INACTIVE[why]}`;
  return new RmkError('RMK_ERR_INACTIVE', message, { plugin: provider.name });
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
