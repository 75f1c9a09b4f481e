import { isThenable, RmkError, type EpochPlan } from '@rmk/core';
import { z } from 'zod';

const Plan = z.object({
  preSave: z.enum(['none', 'updated']),
  add: z.instanceof(Uint32Array).exactOptional(),
  drop: z.instanceof(Uint32Array).exactOptional(),
  clusterPages: z.number().exactOptional(),
});

/**
 * Reads the plan that an algorithm returned. Throws RMK_ERR_INPUT if it is none. The driver checks what it asks for.
 */
export function readPlan(given: unknown, algorithm: string): EpochPlan {
  if (isThenable(given)) {
    // Nobody awaits it, so its rejection would end the process.
    given.then(undefined, () => undefined);
    throw new RmkError(
      'RMK_ERR_INPUT',
      `${algorithm}: plan() returned a promise. The plan is needed at once: make plan() a function that is not async.`,
    );
  }
  const { data, error } = Plan.safeParse(given);
  if (data !== undefined) return data;
  const issues = error.issues.map(({ path, message }) => `${['plan()', ...path].join('.')}: ${message}`);
  throw new RmkError(
    'RMK_ERR_INPUT',
    `${algorithm}: ${issues.join('; ')}: let plan() return what to save ahead, such as { preSave: 'none' }`,
  );
}
