import type { Nanoseconds } from '@rmk/core';

/** What is to be done about an error, before it is done. */
export interface PluginNameDecided {
  readonly atNs: Nanoseconds;
  readonly kind: string;
  /** When the checkpoint to go to was taken; absent where the guest is to be restarted. */
  readonly takenAtNs?: Nanoseconds;
}

declare module '@rmk/core' {
  interface RmkEvents {
    EVT_PLUGINNAMEDECIDED: PluginNameDecided;
  }
}
