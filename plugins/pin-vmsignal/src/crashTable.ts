import type { Privilege } from '@rmk/core';
import { z } from 'zod';

/** An exception that is ordinary life for the guest: its own kernel handles it. The cause `'*'` is any. */
export interface OrdinaryException {
  readonly cause: string;
  readonly privilege: Privilege;
}

/**
 * One program, or a small kernel whose tasks are part of it: system calls, and what the kernel emulates or debugs for
 * its tasks, are ordinary. Any other exception is a crash: one of machine mode, an access to an address where nothing
 * is, a misaligned access.
 */
export const RISCV_BARE_METAL: readonly OrdinaryException[] = [
  { cause: 'environment-call-from-user', privilege: 'user' },
  { cause: 'environment-call-from-machine', privilege: 'machine' },
  { cause: 'illegal-instruction', privilege: 'user' },
  { cause: 'breakpoint', privilege: 'user' },
];

/**
 * A real-time kernel with a fixed set of threads: as on bare metal, and the kernel may emulate misaligned accesses and
 * atomics. A thread that faults is a crash, since nobody starts it again.
 */
export const RISCV_RTOS: readonly OrdinaryException[] = [
  ...RISCV_BARE_METAL,
  { cause: 'load-address-misaligned', privilege: 'user' },
  { cause: 'store-address-misaligned', privilege: 'user' },
];

/**
 * An operating system with processes that come and go: whatever a process does, its kernel survives, and turns it into
 * a signal for that process. Only an exception of the kernel itself is a crash.
 */
export const RISCV_LINUX: readonly OrdinaryException[] = [
  { cause: '*', privilege: 'user' },
  { cause: 'environment-call-from-machine', privilege: 'machine' },
];

/** The ready tables by name. */
export const CRASH_TABLES = {
  'bare-metal': RISCV_BARE_METAL,
  rtos: RISCV_RTOS,
  linux: RISCV_LINUX,
} as const satisfies Readonly<Record<string, readonly OrdinaryException[]>>;

export type CrashTableName = keyof typeof CRASH_TABLES;

const entry = z.strictObject({ cause: z.string().min(1), privilege: z.enum(['user', 'kernel', 'machine']) });

/** What is no crash: a ready table by its name, or a table of one's own. */
export const ordinaryOption = z
  .union(
    [z.enum(['bare-metal', 'rtos', 'linux']), z.array(entry).readonly()],
    "expected 'bare-metal', 'rtos', 'linux', or a list of { cause, privilege }",
  )
  .default('bare-metal')
  .transform((table): readonly OrdinaryException[] =>
    typeof table === 'string' ? CRASH_TABLES[table] : table,
  );

/** Whether a signal is a crash (§8): it is not in the table of what is ordinary. */
export function isCrash(
  { cause, privilege }: { readonly cause: string; readonly privilege: Privilege },
  ordinary: readonly OrdinaryException[],
): boolean {
  return !ordinary.some(
    (allowed) => (allowed.cause === '*' || allowed.cause === cause) && allowed.privilege === privilege,
  );
}
