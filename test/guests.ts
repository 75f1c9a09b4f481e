import { goldenRun, type GuestState, type RigGuest } from '@rmk/testing';

const FILE_BYTES = 40 * 1024;
const WORDS =
  'page fault epoch checkpoint rollback guest domain pin module interval ring log context ladder rung hang crash'.split(
    ' ',
  );

/** Words in an order that repeats itself nowhere, so that the compressor has something to do throughout. */
function text(bytes: number): Uint8Array {
  let random = 1;
  let written = '';
  while (written.length < bytes) {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
    written += `${WORDS[(random >>> 16) % WORDS.length]} ${random >>> 20} `;
  }
  return new TextEncoder().encode(written.slice(0, bytes));
}

/** Computes without a break, in machine mode, for some 400 ms of guest time. */
export const compressor = { guest: 'compressor', file: text(FILE_BYTES) } as const satisfies RigGuest;
/** Ten tasks in user mode that also wait: four seconds of guest time. */
export const tasks = { guest: 'tasks' } as const satisfies RigGuest;

const known = new Map<RigGuest, Promise<GuestState>>();

/** The end of an undisturbed run; worked out once in a file of tests. */
export function goldenEnd(guest: RigGuest): Promise<GuestState> {
  const end = known.get(guest) ?? goldenRun(guest);
  known.set(guest, end);
  return end;
}
