import { z } from 'zod';

/** Jobs of known answer that the demo guest can do. */
export const GUEST_JOBS = ['gzip', 'perl', 'openssl', 'web'] as const;

export type GuestJob = (typeof GUEST_JOBS)[number];

/** What lies beside a built guest. */
export const guestDescription = z.object({
  /** Digest of our own sources that it was built from. */
  sources: z.string(),
  kernelRelease: z.string(),
  packages: z.record(z.string(), z.string()),
  answers: z.record(z.enum(GUEST_JOBS), z.string().min(1)),
});

export type GuestDescription = z.infer<typeof guestDescription>;
