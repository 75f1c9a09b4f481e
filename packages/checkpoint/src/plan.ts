import { RmkError, type EpochPlan } from '@rmk/core';
import { z } from 'zod';

const Plan = z.object({
  preSave: z.enum(['none', 'updated']),
  add: z.instanceof(Uint32Array).exactOptional(),
  drop: z.instanceof(Uint32Array).exactOptional(),
  clusterPages: z.number().exactOptional(),
});

/** What an algorithm has given as its plan, read once. `RMK_ERR_INPUT` where it is none; what it asks for the driver checks. */
export function readPlan(given: unknown, algorithm: string): EpochPlan {
  const { data, error } = Plan.safeParse(given);
  if (data !== undefined) return data;
  const issues = error.issues.map(({ path, message }) => `${['plan()', ...path].join('.')}: ${message}`);
  throw new RmkError(
    'RMK_ERR_INPUT',
    `${algorithm}: ${issues.join('; ')}: let plan() return what is to be saved ahead, such as { preSave: 'none' }`,
  );
}
