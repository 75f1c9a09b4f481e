import { durationHint, isDuration, type Duration } from '@rmk/core';
import { z } from 'zod';

const region = z.strictObject({
  /** What it is called in events and errors. */
  name: z.string().min(1),
  /** Guest-physical. */
  address: z.int().min(0),
  bytes: z.int().min(1),
  /** Of the whole region, in hexadecimal: what is there at the start is compared with it. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'expected a SHA-256 in 64 hexadecimal digits')
    .optional(),
});

export const silentCorruptionDetectorOptions = z.strictObject({
  /** What the guest never writes once it has booted: code, constants, tables. */
  regions: z
    .array(region)
    .min(1, 'expected at least one region')
    .refine(
      (regions) => new Set(regions.map(({ name }) => name)).size === regions.length,
      'expected names that differ from each other',
    ),
  /** Domain time in which every byte is looked at once, at least two checkpoint intervals. */
  within: z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) }).default('1s'),
});

export type SilentCorruptionDetectorOptions = z.output<typeof silentCorruptionDetectorOptions>;
