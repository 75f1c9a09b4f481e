import { token } from './token.js';

/** Names something that a plugin keeps, and fixes its type. Two keys are different, however alike they are. */
export interface StateKey<T extends object> {
  readonly initial: () => T;
}

/** `initial` makes what is kept by the key, when a plugin first asks for it. */
export function stateKey<T extends object>(initial: () => T): StateKey<T> {
  return { initial };
}

/**
 * What a plugin keeps over its restarts. Empty when the plugin is installed, discarded when it is removed. Each plugin
 * has its own.
 */
export interface InstallationState {
  /** The same object each time, until the plugin is removed. Make the key once, outside the class that asks. */
  get<T extends object>(key: StateKey<T>): T;
}

export const INSTALLATION_STATE = token<InstallationState>('INSTALLATION_STATE');
