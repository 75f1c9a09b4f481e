import { z } from 'zod';

export const cowpDecayOptions = z.strictObject({
  /** What an epoch counts against the one after it. */
  decay: z.number().gt(0).lt(1).default(0.7),
  /** Pages at least so frequent are saved ahead, whether they were written in the epoch that ends or not. */
  keep: z.number().gt(0).max(1).default(0.5),
  /** Pages that were written before, but less often than this, are not saved ahead. */
  forget: z.number().min(0).max(1).default(0.2),
});

export type CowpDecayOptions = z.output<typeof cowpDecayOptions>;
