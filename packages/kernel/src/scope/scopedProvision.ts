import { callbacksOf, isThenable, RmkError, tokenName, type Token } from '@rmk/core';
import { Callbacks } from './callbacks.js';
import { facadeOf } from './facade.js';
import type { Closed, Scope } from './scope.js';

/**
 * What another plugin (`provider`) provides, as one plugin sees it. A `Disposable` or `AsyncDisposable` that a method
 * returns, or that its promise resolves to, is registered in the scope of the calling plugin, so it is released with
 * it. Calls throw RMK_ERR_STATE once that scope is closed, and RMK_ERR_INACTIVE once the provider's is.
 */
export function scopedProvision<T extends object>(
  provided: T,
  of: Token<unknown>,
  scope: Scope,
  provider: Scope,
): T {
  const name = tokenName(of);
  const callbacks = new Callbacks(scope);
  const callbackMethods = callbacksOf(of);
  return facadeOf(provided, {}, (methodName, method, given) => {
    const label = `${name}.${methodName}`;
    scope.refuseWhenClosed(`call ${label}`);
    if (provider.closed !== undefined) throw inactive(provider, provider.closed, scope, label);
    const result: unknown = Reflect.apply(
      method,
      provided,
      callbacks.wrapAll(given, callbackMethods?.[methodName]),
    );
    const own = (what: unknown): unknown =>
      isRegistration(what) ? registered(what, label, scope, provider) : what;
    return isThenable(result) ? Promise.resolve(result).then(own) : own(result);
  });
}

const INACTIVE: Readonly<Record<Closed, string>> = {
  quarantined: 'is quarantined for its faults. Wait until the kernel restarts it, or restart it.',
  failed: 'has failed. Fix and restart it.',
  stopped:
    'was removed or restarted. Get the current object with `domain.get`, or install a plugin that provides it.',
};

function inactive(provider: Scope, why: Closed, caller: Scope, label: string): RmkError {
  const message = `${caller.name} cannot call ${label}: ${provider.name}, which provides it, ${INACTIVE[why]}`;
  return new RmkError('RMK_ERR_INACTIVE', message, { plugin: provider.name });
}

type Releasable = Disposable | AsyncDisposable;

function registered(result: Releasable, label: string, scope: Scope, provider: Scope): Releasable {
  let released: unknown;
  // The release is code of the provider, so what it throws is the provider's fault.
  const release = (): void => provider.attempt(label, () => (released = releaseOf(result)), undefined);
  // The plugin may have been quarantined during the call.
  if (scope.closed !== undefined) release();
  const registration = scope.register(label, () => ({ [Symbol.dispose]: release }));
  const own: Partial<Disposable & AsyncDisposable> = {
    [Symbol.dispose]: () => registration[Symbol.dispose](),
    [Symbol.asyncDispose]: async () => {
      registration[Symbol.dispose]();
      await released;
    },
  };
  return facadeOf<Releasable>(result, own, (_, method, given) => Reflect.apply(method, result, given));
}

function releaseOf(result: Releasable): unknown {
  return Symbol.dispose in result ? result[Symbol.dispose]() : result[Symbol.asyncDispose]();
}

/** Iterators are disposable too (in newer engines), but hold nothing. */
function isRegistration(result: unknown): result is Releasable {
  return (
    typeof result === 'object' &&
    result !== null &&
    (Symbol.dispose in result || Symbol.asyncDispose in result) &&
    !(Symbol.iterator in result || Symbol.asyncIterator in result)
  );
}
