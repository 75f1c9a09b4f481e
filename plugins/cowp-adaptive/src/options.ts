import { z } from 'zod';

export const cowpAdaptiveOptions = z.strictObject({
  /** What a page fault costs against saving a page ahead. */
  faultCost: z.number().gt(1).default(2),
});

export type CowpAdaptiveOptions = z.output<typeof cowpAdaptiveOptions>;
