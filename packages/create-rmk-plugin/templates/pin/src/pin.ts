import { token } from '@rmk/core';

/** What others are given who require the pin. */
export interface PluginNamePin {
  /** The register that is sampled. */
  readonly register: string;
  /** Reads the register. */
  sample(): Promise<bigint>;
}

export const P_PLUGINNAME = token<PluginNamePin>('P_PLUGINNAME', { members: ['register', 'sample'] });
