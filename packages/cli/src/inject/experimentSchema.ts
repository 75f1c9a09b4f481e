import type { FaultKind, TriggerKind } from '@rmk/campaign';
import { z } from 'zod';
import { microcheckpointOptions } from '@rmk/preset-microcheckpoint';
import { duration, guestSchema } from '../config/configSchema.js';

const fault = z.custom<string | FaultKind>(
  (value) => typeof value === 'string' || isKind(value),
  'expected the name of a fault, or one made by defineFault',
);
const trigger = z.custom<string | TriggerKind>(
  (value) => typeof value === 'string' || isKind(value),
  'expected the name of a trigger, or one made by defineTrigger',
);

function isKind(value: unknown): value is FaultKind & TriggerKind {
  return (
    typeof value === 'object' &&
    value !== null &&
    'choose' in value &&
    typeof value.choose === 'function' &&
    'name' in value &&
    typeof value.name === 'string' &&
    'options' in value &&
    value.options instanceof z.ZodType
  );
}

const weighted = z.strictObject({
  fault,
  options: z.record(z.string(), z.unknown()).default({}),
  weight: z.int().min(1).default(1),
  trigger: z
    .union(
      [trigger, z.strictObject({ trigger, options: z.record(z.string(), z.unknown()).default({}) })],
      "expected 'checkpoint' or { trigger: 'symbol', options: { … } }",
    )
    .exactOptional(),
});

export const experimentSchema = z.strictObject({
  // Validated by itself, as the guests of a run are.
  guest: z.unknown(),
  protect: microcheckpointOptions.prefault({}),
  faults: z
    .array(
      z.union([fault, weighted], "expected 'register-flip' or { fault: 'register-flip', options: { … } }"),
      'expected a list of faults',
    )
    .min(1, "expected at least one fault, such as 'register-flip'"),
  count: z.int().min(1).exactOptional(),
  margin: z.number().gt(0).lt(0.5).exactOptional(),
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  steadyState: z
    .strictObject({
      exitCode: z.int().default(0),
      output: z.string().exactOptional(),
      within: duration.default('60s'),
    })
    .default({ exitCode: 0, within: '60s' }),
  window: z.strictObject({ from: duration.exactOptional(), to: duration.exactOptional() }).exactOptional(),
  grid: duration.exactOptional(),
  watch: duration.exactOptional(),
  timeout: duration.exactOptional(),
  control: z.number().min(0).max(1).exactOptional(),
});

/** The protection has a key of its own. */
export const experimentGuestSchema = guestSchema.omit({ plugins: true, protect: true });

export type ExperimentEntries = z.output<typeof experimentSchema>;
