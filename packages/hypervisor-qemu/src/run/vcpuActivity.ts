import type { Facts, Nanoseconds, ProgressSign } from '@rmk/core';
import type { ThreadActivity } from '../process/processStatus.js';

/** It runs, waits for an interrupt, or waits with interrupts off: nothing can wake it. */
export type Halt = 'runs' | 'waits' | 'for-ever';

/** What the activity of the vCPU is derived from; each may fail when QEMU ends. */
export interface ActivitySources {
  now(): Nanoseconds;
  /** Of the vCPU's thread; undefined if it has ended. */
  thread(): ThreadActivity | undefined;
  /** Pages written since the last call; undefined if the VM is unprotected. */
  pagesWritten(): Promise<number | undefined>;
  /** What the vCPU itself does. */
  halt(): Promise<Halt>;
}

/** The vCPU's thread sleeps for moments also while its guest is busy, for instance for a lock of QEMU. */
const MOMENTS = 0.1;
/** Checkpoints use the thread a little, also while its guest idles. */
const ALMOST_ALL = 0.9;
/** A look that is later than this many intervals shows more of RMK than of the guest. */
const LATE_INTERVALS = 2;

interface Stretch {
  readonly atNs: Nanoseconds;
  readonly lengthNs: Nanoseconds;
  readonly cpuNs: Nanoseconds;
  /** Time in which the vCPU was waiting. */
  readonly restNs: Nanoseconds;
  readonly thread: ThreadActivity | undefined;
}

/**
 * What the vCPU did between two looks, seen from outside: whether its thread ran or slept, the pages that were written,
 * and the bytes of the heartbeat channel.
 */
export class VcpuActivity {
  private sinceNs: Nanoseconds;
  private before: ThreadActivity | undefined;
  private heartbeatNs: Nanoseconds | undefined;
  /** When the pages written were counted last. */
  private askedNs: Nanoseconds;
  /** Counts beginnings, so that a look that began before a rollback is discarded. */
  private generation = 0;
  private looking = false;

  constructor(
    private readonly sources: ActivitySources,
    private readonly schedulingIntervalNs: Nanoseconds,
  ) {
    this.sinceNs = sources.now();
    this.askedNs = this.sinceNs;
    this.before = sources.thread();
  }

  /** Bytes came from the heartbeat channel. */
  heartbeat(): void {
    this.heartbeatNs = this.sources.now();
  }

  /** A new stretch begins, as after a rollback: what was before does not count. */
  begin(): void {
    this.generation++;
    this.sinceNs = this.sources.now();
    this.askedNs = this.sinceNs;
    this.before = this.sources.thread();
    this.heartbeatNs = undefined;
  }

  /** Ends the stretch and returns what happened in it; undefined if it has no length or another look is under way. */
  async look(): Promise<Facts['scheduled'] | undefined> {
    if (this.looking) return undefined;
    this.looking = true;
    try {
      const { generation } = this;
      const askedNs = this.sources.now();
      const pages = (await this.sources.pagesWritten()) ?? 0;
      // A thread that sleeps may only wait for a lock: without a page written, the registers of the vCPU decide.
      const slept = this.stretch().restNs > 0;
      const halt = pages > 0 ? 'waits' : slept ? await this.sources.halt() : 'runs';
      // Synchronous from here on: the result is of this moment.
      return generation === this.generation ? this.end(askedNs, pages > 0, halt) : undefined;
    } finally {
      this.looking = false;
    }
  }

  private end(askedNs: Nanoseconds, pagesWritten: boolean, halt: Halt): Facts['scheduled'] | undefined {
    const stretch = this.stretch();
    const { atNs, lengthNs, thread } = stretch;
    const halted = halt === 'for-ever';
    const restNs = halt === 'runs' ? 0 : stretch.restNs;
    const cpuNs = stretch.cpuNs + stretch.restNs - restNs;
    if (lengthNs <= 0) return undefined;
    // When in the stretch a page was written is unknown, so this is a moment at which the guest was certainly healthy.
    // If RMK itself was late, a guest that has written since is not accused of the silence.
    const writtenNs = Math.max(this.askedNs, atNs - LATE_INTERVALS * this.schedulingIntervalNs);
    const progress = progressOf(pagesWritten ? writtenNs : undefined, this.heartbeatNs);
    this.sinceNs = atNs;
    this.askedNs = askedNs;
    this.before = thread;
    this.heartbeatNs = undefined;
    return {
      atNs,
      cpuNs,
      idleNs: halted ? 0 : restNs,
      haltedNs: halted ? restNs : 0,
      state: halted ? 'halted' : isStill({ ...stretch, restNs }) ? 'idle' : 'ran',
      progress,
    };
  }

  /**
   * Time in which the thread waited for the host's processor counts as neither: a busy host accuses no guest. An idle
   * guest counts as healthy, so only certain rest counts as idle: if the thread does not sleep at this moment, how long
   * it has been waiting is unknown.
   */
  private stretch(): Stretch {
    const atNs = this.sources.now();
    const thread = this.sources.thread();
    const lengthNs = atNs - this.sinceNs;
    const { before } = this;
    if (thread === undefined || before === undefined) {
      return { atNs, lengthNs, cpuNs: lengthNs, restNs: 0, thread };
    }
    const waitedNs = thread.waitedNs - before.waitedNs;
    const sleptNs = thread.sleeps ? Math.max(0, lengthNs - waitedNs - (thread.ranNs - before.ranNs)) : 0;
    const restNs = sleptNs < lengthNs * MOMENTS ? 0 : Math.min(lengthNs, sleptNs);
    return { atNs, lengthNs, cpuNs: Math.max(0, lengthNs - restNs - waitedNs), restNs, thread };
  }
}

function isStill({ lengthNs, restNs }: Stretch): boolean {
  return restNs >= lengthNs * ALMOST_ALL;
}

/** Signs of progress with the moment at which each was last seen. */
function progressOf(
  pageWrittenNs: Nanoseconds | undefined,
  heartbeatNs: Nanoseconds | undefined,
): readonly ProgressSign[] {
  return [
    ...(pageWrittenNs === undefined ? [] : [{ sign: 'page-written', atNs: pageWrittenNs }]),
    ...(heartbeatNs === undefined ? [] : [{ sign: 'heartbeat', atNs: heartbeatNs }]),
  ];
}

const INTERRUPT_FLAG = 1n << 9n;

/** The state of the vCPU in the output of `info registers`. */
export function haltOf(registers: string): Halt {
  const flags = /\bR?E?FL=([0-9a-f]+)/.exec(registers)?.[1];
  if (!/\bHLT=1\b/.test(registers) || flags === undefined) return 'runs';
  return (BigInt(`0x${flags}`) & INTERRUPT_FLAG) === 0n ? 'for-ever' : 'waits';
}
