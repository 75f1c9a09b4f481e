import { readFileSync } from 'node:fs';

/** Of Linux: the time for which this thread has run, in nanoseconds, is its first number. */
const THREAD = '/proc/thread-self/schedstat';

const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** What times are taken by, and how that clock is called in results. */
export interface HostClock {
  readonly name: string;
  readonly nowNs: () => number;
}

/**
 * The processor time of this thread where the system reports it: neither other processes nor V8's compiler threads
 * count. The wall clock elsewhere.
 */
export function hostClock(): HostClock {
  try {
    readFileSync(THREAD);
    return { name: 'processor time of the thread that runs the guest', nowNs: threadNs };
  } catch {
    return { name: 'wall clock', nowNs: () => performance.now() * 1e6 };
  }
}

/** The system brings the number up to date when the thread gives way, so it sleeps for a moment first. */
function threadNs(): number {
  Atomics.wait(cell, 0, 0, 1);
  return Number(readFileSync(THREAD, 'utf8').split(' ', 1)[0]);
}
