import type { Nanoseconds } from '@rmk/core';

declare module '@rmk/core' {
  interface RmkEvents {
    /** The room of the server is too hot. */
    EVT_ROOMTOOHOT: { readonly atNs: Nanoseconds; readonly celsius: number };
  }
}
