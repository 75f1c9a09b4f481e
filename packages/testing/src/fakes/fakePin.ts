import type { Plugin, PluginDefinition, Provision } from '@rmk/core';

/** A call of a fake pin, as the plugin made it. */
export interface PinCall {
  readonly operation: string;
  readonly given: readonly unknown[];
}

/**
 * A pin that keeps the contract and remembers its calls: a plugin to be installed, and the handle by which a test looks
 * at what was asked of the pin, and makes it fail.
 */
export class FakePin<Pin extends object> implements Plugin {
  /** Every call, also those that failed, oldest first. */
  readonly calls: PinCall[] = [];
  private readonly failures: { readonly operation: string; readonly error: unknown }[] = [];

  readonly definition: PluginDefinition;
  readonly options: unknown;

  /** The plugin `real` under another name, with what `provisions` gives behind its tokens. */
  constructor(name: string, real: Plugin, provisions: (pin: FakePin<Pin>) => readonly Provision[]) {
    this.definition = { ...real.definition, name, provides: provisions(this) };
    this.options = real.options;
  }

  /** What was given in each call of one operation. */
  callsOf(operation: keyof Pin & string): readonly (readonly unknown[])[] {
    return this.calls.filter((call) => call.operation === operation).map(({ given }) => given);
  }

  /** The next call of the operation fails with this, and nothing is done. */
  failNext(operation: keyof Pin & string, error: unknown): void {
    this.failures.push({ operation, error });
  }

  /** For the pin itself: an operation that was called, done unless it is to fail. */
  called<T>(operation: keyof Pin & string, given: readonly unknown[], run: () => Promise<T>): Promise<T> {
    this.calls.push({ operation, given });
    const next = this.failures.findIndex((failure) => failure.operation === operation);
    const [failure] = next < 0 ? [] : this.failures.splice(next, 1);
    if (failure === undefined) return run();
    // An error of any kind that a third party's pin might throw.
    return Promise.resolve().then(() => {
      throw failure.error;
    });
  }
}
