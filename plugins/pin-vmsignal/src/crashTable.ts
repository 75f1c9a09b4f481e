import type { Privilege } from '@rmk/core';

/** An exception that is ordinary life for the guest: its own kernel handles it. */
export interface OrdinaryException {
  readonly cause: string;
  readonly privilege: Privilege;
}

/**
 * Guests on RISC-V without an operating system of their own, or with a small one: system calls, and what a kernel
 * emulates or debugs for its tasks, is ordinary. Everything else is a crash: any other exception of machine mode, an
 * access to an address where nothing is, and a guest that switches itself off with a failure.
 */
export const RISCV_BARE_METAL: readonly OrdinaryException[] = [
  { cause: 'environment-call-from-user', privilege: 'user' },
  { cause: 'environment-call-from-machine', privilege: 'machine' },
  { cause: 'illegal-instruction', privilege: 'user' },
  { cause: 'breakpoint', privilege: 'user' },
];

/** Whether a signal is a crash (§8): it is not in the table of what is ordinary. */
export function isCrash(
  { cause, privilege }: { readonly cause: string; readonly privilege: Privilege },
  ordinary: readonly OrdinaryException[],
): boolean {
  return !ordinary.some((entry) => entry.cause === cause && entry.privilege === privilege);
}
