import type { Nanoseconds } from '@rmk/core';

/** The guest has put out the text. */
export interface PluginNameSeen {
  readonly atNs: Nanoseconds;
  readonly device: string;
}

declare module '@rmk/core' {
  interface RmkEvents {
    EVT_PLUGINNAMESEEN: PluginNameSeen;
  }
}
