import { DURATION_HINT, isDuration, type Duration } from '@rmk/core';
import { z } from 'zod';

const BEAT_HINT = 'expected the text, or the bytes (a Uint8Array), of a beat: one byte at least';

export const heartbeatDetectorOptions = z.strictObject({
  /** The device of P_VMIO on which the guest beats. */
  device: z.string().min(1, "expected the name of a device, such as 'uart'"),
  /** The longest domain time between two beats of a guest that is well. */
  silence: z.custom<Duration>(isDuration, DURATION_HINT),
  /** What counts as a beat. Default: each byte on the device. */
  beat: z
    .custom<string | Uint8Array>(
      (value) => (typeof value === 'string' || value instanceof Uint8Array) && value.length > 0,
      BEAT_HINT,
    )
    .optional(),
});

export type HeartbeatDetectorOptions = z.output<typeof heartbeatDetectorOptions>;
