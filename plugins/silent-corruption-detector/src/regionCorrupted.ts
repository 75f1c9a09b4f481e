import type { Nanoseconds } from '@rmk/core';

/** Memory that was declared not to change has changed: one page frame's part of a region, or what there is of it. */
export interface RegionCorrupted {
  readonly atNs: Nanoseconds;
  /** The name of the region. */
  readonly region: string;
  /** Guest-physical, as is the region's own. */
  readonly address: number;
  readonly bytes: number;
  /** The last time that this part was seen to be right. */
  readonly lastRightNs: Nanoseconds;
  /** CRC-32 of what was there first, and of what is there now. */
  readonly expectedCrc32: number;
  readonly foundCrc32: number;
}

declare module '@rmk/core' {
  interface RmkEvents {
    EVT_REGIONCORRUPTED: RegionCorrupted;
  }
}
