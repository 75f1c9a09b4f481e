import type { Nanoseconds } from '@rmk/core';

/** The register was read. */
export interface PluginNameSampled {
  readonly atNs: Nanoseconds;
  readonly value: bigint;
}

declare module '@rmk/core' {
  interface RmkEvents {
    EVT_PLUGINNAMESAMPLED: PluginNameSampled;
  }
}
