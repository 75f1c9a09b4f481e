import type { Nanoseconds } from '@rmk/core';

/** What the next checkpoint is to save ahead. */
export interface PluginNamePlanned {
  readonly atNs: Nanoseconds;
  readonly pages: number;
}

declare module '@rmk/core' {
  interface RmkEvents {
    EVT_PLUGINNAMEPLANNED: PluginNamePlanned;
  }
}
