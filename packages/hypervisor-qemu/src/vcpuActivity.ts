import type { Facts, Nanoseconds, ProgressSign } from '@rmk/core';
import { threadTimes } from './processStatus.js';

type ThreadTimes = NonNullable<ReturnType<typeof threadTimes>>;

const GONE: ThreadTimes = { ranNs: 0, waitedNs: 0 };

/** What the activity of the vCPU is told from; each may fail when QEMU goes. */
export interface ActivitySources {
  now(): Nanoseconds;
  /** Pages that were newly written since this was asked last; undefined where nobody can tell. */
  pagesWritten(): Promise<number | undefined>;
  /** Whether the vCPU is halted with interrupts off: nothing of its own can wake it. */
  isHaltedForEver(): Promise<boolean>;
}

/** Of a stretch, where the vCPU used less it counts as having stood still: checkpoints use its thread a little. */
const STOOD_STILL = 0.1;
/** Of a stretch, where it slept less it counts as busy throughout: its thread waits for locks of QEMU now and then. */
const BUSY_THROUGHOUT = 0.1;

/**
 * What the vCPU did between two looks, seen from outside: the processor time of its thread, the pages that were written,
 * and the bytes of the heartbeat channel.
 */
export class VcpuActivity {
  private sinceNs: Nanoseconds;
  private times: ThreadTimes | undefined;
  private heartbeatNs: Nanoseconds | undefined;
  /** Counts beginnings, so that a look that began before a rollback is dropped. */
  private generation = 0;
  private looking = false;

  constructor(
    private readonly pid: number,
    private readonly thread: number,
    private readonly sources: ActivitySources,
  ) {
    this.sinceNs = sources.now();
    this.times = this.threadTimes();
  }

  /** Bytes came from the heartbeat channel. */
  heartbeat(): void {
    this.heartbeatNs = this.sources.now();
  }

  /** A new stretch begins: what was before says nothing of the guest that runs on. */
  begin(): void {
    this.generation++;
    this.sinceNs = this.sources.now();
    this.times = this.threadTimes();
    this.heartbeatNs = undefined;
  }

  /** Ends the stretch, and gives what happened in it; undefined where it has no length or another look is under way. */
  async look(): Promise<Facts['scheduled'] | undefined> {
    if (this.looking) return undefined;
    this.looking = true;
    try {
      const { generation } = this;
      const pages = (await this.sources.pagesWritten()) ?? 0;
      const halted = pages === 0 && this.stoodStill() && (await this.sources.isHaltedForEver());
      // From here on without a pause: what is told is told of this moment.
      return generation === this.generation ? this.end(pages > 0, halted) : undefined;
    } finally {
      this.looking = false;
    }
  }

  private end(pagesWritten: boolean, halted: boolean): Facts['scheduled'] | undefined {
    const { stretchNs, cpuNs, sleptNs } = this.spent();
    if (stretchNs <= 0) return undefined;
    const atNs = this.sinceNs + stretchNs;
    const state = halted ? 'halted' : isStill(stretchNs, cpuNs) ? 'idle' : 'ran';
    const progress = progressOf(pagesWritten ? atNs : undefined, this.heartbeatNs);
    this.sinceNs = atNs;
    this.times = this.threadTimes();
    this.heartbeatNs = undefined;
    const restNs = sleptNs < stretchNs * BUSY_THROUGHOUT ? 0 : sleptNs;
    return { atNs, cpuNs, idleNs: halted ? 0 : restNs, haltedNs: halted ? restNs : 0, state, progress };
  }

  private stoodStill(): boolean {
    const { stretchNs, cpuNs } = this.spent();
    return isStill(stretchNs, cpuNs);
  }

  /** A thread that waits for the host's processor runs no instruction and is not idle: a busy host accuses no guest. */
  private spent(): {
    readonly stretchNs: Nanoseconds;
    readonly cpuNs: Nanoseconds;
    readonly sleptNs: Nanoseconds;
  } {
    const stretchNs = this.sources.now() - this.sinceNs;
    const now = this.threadTimes() ?? GONE;
    const before = this.times ?? now;
    const cpuNs = Math.min(stretchNs, Math.max(0, now.ranNs - before.ranNs));
    const waitedNs = Math.max(0, now.waitedNs - before.waitedNs);
    return { stretchNs, cpuNs, sleptNs: Math.max(0, stretchNs - cpuNs - waitedNs) };
  }

  private threadTimes(): ThreadTimes | undefined {
    return threadTimes(this.pid, this.thread);
  }
}

function isStill(stretchNs: Nanoseconds, cpuNs: Nanoseconds): boolean {
  return cpuNs < stretchNs * STOOD_STILL;
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

/** Whether what `info registers` prints shows a vCPU that is halted, with the interrupt flag clear. */
export function isHaltedForEver(registers: string): boolean {
  const flags = /\bR?E?FL=([0-9a-f]+)/.exec(registers)?.[1];
  const halted = /\bHLT=1\b/.test(registers);
  return halted && flags !== undefined && (BigInt(`0x${flags}`) & INTERRUPT_FLAG) === 0n;
}

const INTERRUPT_FLAG = 1n << 9n;
