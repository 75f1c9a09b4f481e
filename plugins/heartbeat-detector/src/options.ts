import { durationHint, isDuration, nanoseconds, type Duration } from '@rmk/core';
import { z } from 'zod';

const BEAT_HINT = 'expected the text, or the bytes (a Uint8Array), of a beat: one byte at least';

const duration = z.custom<Duration>(isDuration, { error: ({ input }) => durationHint(input) });

const adaptive = z
  .strictObject({
    /** Bounds of the threshold. */
    atLeast: duration,
    atMost: duration,
    /** The share of a healthy guest's silences that may exceed the threshold. */
    falsePositiveRate: z.number().gt(0).lt(1).default(1e-4),
  })
  .refine(
    ({ atLeast, atMost }) =>
      !isDuration(atLeast) || !isDuration(atMost) || nanoseconds(atLeast) <= nanoseconds(atMost),
    { path: ['atMost'], message: 'expected at least `atLeast`' },
  );

export const heartbeatDetectorOptions = z
  .strictObject({
    /** The device of P_VMIO on which the guest beats. */
    device: z.string().min(1, "expected the name of a device, such as 'uart'"),
    /** The longest domain time between two beats of a healthy guest. */
    silence: duration.optional(),
    /** In place of `silence`: a threshold that follows the silences observed. */
    adaptive: adaptive.optional(),
    /** What counts as a beat. Default: each byte on the device. */
    beat: z
      .custom<string | Uint8Array>(
        (value) => (typeof value === 'string' || value instanceof Uint8Array) && value.length > 0,
        BEAT_HINT,
      )
      .optional(),
    /**
     * When the guest closes the device, as it does before it reboots: `'wait'` for the next beat, or `'accuse'` it of
     * the silence that follows.
     */
    whenClosed: z.enum(['wait', 'accuse']).default('wait'),
  })
  .refine((options) => (options.silence === undefined) !== (options.adaptive === undefined), {
    path: ['silence'],
    message: 'expected either `silence`, such as 500ms, or `adaptive` with { atLeast, atMost }',
  });

export type HeartbeatDetectorOptions = z.output<typeof heartbeatDetectorOptions>;
