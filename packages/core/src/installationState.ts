import { token } from './token.js';

/**
 * What a plugin keeps over its restarts. Empty when the plugin is installed, discarded when it is removed. Each plugin
 * has its own.
 */
export interface InstallationState {
  /** What `initial` returned when the key was first asked for. Always ask for a key with the same type. */
  get<T extends object>(key: string, initial: () => T): T;
}

export const INSTALLATION_STATE = token<InstallationState>('INSTALLATION_STATE');
