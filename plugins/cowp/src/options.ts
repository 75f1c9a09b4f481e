import { MAX_CLUSTER_PAGES } from '@rmk/core';
import { z } from 'zod';

export const cowpOptions = z.strictObject({
  /** Neighbouring pages saved together at a page fault: fewer faults where a fault is dear, for more pages saved. */
  clusterPages: z
    .int()
    .min(1)
    .max(MAX_CLUSTER_PAGES)
    .refine((pages) => (pages & (pages - 1)) === 0, 'expected a power of two')
    .default(1),
});

export type CowpOptions = z.output<typeof cowpOptions>;
