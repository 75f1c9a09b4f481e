import type { InstallationState, StateKey } from '@rmk/core';

/** Belongs to the installed plugin, so a start with new instances finds what the last one left. */
export class KeptState implements InstallationState {
  private readonly kept = new Map<StateKey<object>, object>();

  get<T extends object>(key: StateKey<T>): T {
    // By this key nothing is kept but what its `initial` made.
    const known = (this.kept.get(key) as T | undefined) ?? key.initial();
    this.kept.set(key, known);
    return known;
  }
}
