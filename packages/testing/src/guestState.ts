import type { Nanoseconds } from '@rmk/core';
import type { Digest, EmbeddedMachine } from '@rmk/hypervisor-embedded';

/** All of a guest that rollbacks must not change: two guests that are alike in this are in the same state. */
export interface GuestState {
  /** Absent while the guest is on. */
  readonly exitCode: number | undefined;
  readonly guestNs: Nanoseconds;
  readonly instructions: number;
  /** Committed output, as text. */
  readonly output: string;
  readonly digest: Digest;
}

export function guestStateOf(machine: EmbeddedMachine): GuestState {
  const { exitCode, guestNs, instructions, committedOutput } = machine;
  const output = new TextDecoder().decode(committedOutput);
  return { exitCode, guestNs, instructions, output, digest: machine.digest() };
}
