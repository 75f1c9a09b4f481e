import type { Nanoseconds } from '@rmk/core';
import { goldenRun, type GuestState, type RigGuest } from '@rmk/testing';

const FILE_BYTES = 128 * 1024;
const WORDS =
  'page fault epoch checkpoint rollback guest domain pin module interval ring log context ladder rung hang crash'.split(
    ' ',
  );

/** Words that repeat themselves often, so that the compressor is soon done with them. */
function text(bytes: number): Uint8Array {
  const words: string[] = [];
  for (let position = 0; position < bytes; position++) {
    words.push(WORDS[(position * position + (position >> 7)) % WORDS.length] ?? '');
  }
  return new TextEncoder().encode(words.join(' ').slice(0, bytes));
}

/** Computes without a break, in machine mode, for some 800 ms of guest time. */
export const compressor = { guest: 'compressor', file: text(FILE_BYTES) } as const satisfies RigGuest;
/** Ten tasks in user mode that also wait: four seconds of guest time. */
export const tasks = { guest: 'tasks' } as const satisfies RigGuest;

const known = new Map<RigGuest, Map<Nanoseconds, Promise<GuestState>>>();

/** The end of an undisturbed run. */
export function goldenEnd(guest: RigGuest): Promise<GuestState> {
  return goldenAt(guest, Infinity);
}

/** The state of an undisturbed run at a guest time; worked out once in a file of tests. */
export function goldenAt(guest: RigGuest, guestNs: Nanoseconds): Promise<GuestState> {
  const states = known.get(guest) ?? new Map<Nanoseconds, Promise<GuestState>>();
  known.set(guest, states);
  const state = states.get(guestNs) ?? goldenRun(guest, guestNs);
  states.set(guestNs, state);
  return state;
}
