import type { InstallationState } from '@rmk/core';

/** Belongs to the installed plugin, so a start with new instances finds what the last one left. */
export class KeptState implements InstallationState {
  private readonly kept = new Map<string, object>();

  get<T extends object>(key: string, initial: () => T): T {
    const known = this.kept.get(key) ?? initial();
    this.kept.set(key, known);
    return known as T;
  }
}
