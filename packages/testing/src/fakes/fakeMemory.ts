import { PAGE_BYTES, RmkError, type EpochPlan, type EpochReport } from '@rmk/core';
import { checkLogChain, checkPlan, damagedPagesError } from '@rmk/driver';
import { FakePageLog } from './fakePageLog.js';

type EpochPages = Pick<
  EpochReport,
  'updated' | 'pageFaults' | 'pagesSaved' | 'pagesPreSaved' | 'preSavedInVain'
>;

/** Memory that is kept, logged and rolled back as the contract says, in the plainest way. */
export class FakeMemory {
  readonly bytes: Uint8Array;
  /** Frames that faulted and were not reported yet. */
  readonly faulted: number[] = [];
  private open: FakePageLog | undefined;
  private logs: FakePageLog[] = [];
  private epoch = 0;
  private clusterPages = 1;
  private pageFaults = 0;

  constructor(
    readonly pages: number,
    private readonly logPages: number,
  ) {
    this.bytes = new Uint8Array(pages * PAGE_BYTES);
  }

  /** A write of the guest or of the host. Gives whether the logs were lost for want of room. */
  write(address: number, data: Uint8Array): boolean {
    let lost = false;
    const last = Math.floor((address + data.length - 1) / PAGE_BYTES);
    for (let frame = Math.floor(address / PAGE_BYTES); frame <= last && data.length > 0; frame++) {
      lost = this.beforeWrite(frame) || lost;
    }
    this.bytes.set(data, address);
    return lost;
  }

  /** Ends the open epoch, if there is one, and opens the next; on failure the old one stays open. */
  nextEpoch(plan: EpochPlan): { readonly log: FakePageLog; readonly closed: EpochPages | undefined } {
    checkPlan(plan, this.pages);
    const { clusterPages = 1 } = plan;
    const ended = this.openLog;
    const closed = ended === undefined ? undefined : this.reportOn(ended);
    const preSave = this.preSaveSet(plan, closed?.updated ?? []);
    if (preSave.length > this.free) {
      throw new RmkError(
        'RMK_ERR_LOGFULL',
        `the plan pre-saves ${preSave.length} pages, and the log area has room for ${this.free}`,
      );
    }
    return { log: this.openEpoch(ended?.epoch, preSave, clusterPages), closed };
  }

  /** All or nothing. `logs`: newest first, the open one included. */
  rollback(
    logs: readonly FakePageLog[],
    plan: EpochPlan,
  ): { readonly log: FakePageLog; readonly pagesRestored: number } {
    checkPlan(plan, this.pages);
    const { clusterPages = 1 } = plan;
    checkLogChain(logs, this.openLog, ({ isReleased }) => !isReleased);
    const ruling = new Map(logs.flatMap((log) => log.savedFrames.map((frame) => [frame, log] as const)));
    const damaged = [...ruling].filter(([frame, log]) => !log.isIntact(frame)).map(([frame]) => frame);
    if (damaged.length > 0) throw damagedPagesError(damaged);
    const written = logs.flatMap((log) => [...log.written]);
    const wanted = this.preSaveSet(plan, plan.preSave === 'updated' ? written : []);
    for (const [frame, log] of ruling) this.bytes.set(log.contentOf(frame), frame * PAGE_BYTES);
    const preSave = wanted.length > this.free ? [] : wanted;
    return {
      log: this.openEpoch(logs.at(-1)?.previousEpoch, preSave, clusterPages),
      pagesRestored: ruling.size,
    };
  }

  /** Zeroes the memory and discards all logs. */
  reset(): void {
    this.bytes.fill(0);
    this.voidLogs();
  }

  /** The log that fills. Whoever releases it gives up the protection. */
  private get openLog(): FakePageLog | undefined {
    return this.open?.isReleased === false ? this.open : undefined;
  }

  private get free(): number {
    this.logs = this.logs.filter(({ isReleased }) => !isReleased);
    return this.logPages - this.logs.reduce((sum, { pages }) => sum + pages, 0);
  }

  private beforeWrite(frame: number): boolean {
    const log = this.openLog;
    if (log === undefined) return false;
    log.written.add(frame);
    if (log.has(frame)) return false;
    if (this.free < 1) {
      this.voidLogs();
      return true;
    }
    this.pageFaults += 1;
    this.faulted.push(frame);
    log.save(frame, this.page(frame), false);
    const first = frame - (frame % this.clusterPages);
    for (let near = first; near < Math.min(first + this.clusterPages, this.pages); near++) {
      if (!log.has(near) && this.free > 0) log.save(near, this.page(near), true);
    }
    return false;
  }

  private page(frame: number): Uint8Array {
    return this.bytes.slice(frame * PAGE_BYTES, (frame + 1) * PAGE_BYTES);
  }

  private reportOn(log: FakePageLog): EpochPages {
    const preSaved = log.preSavedFrames;
    return {
      updated: Uint32Array.from(log.written).toSorted(),
      pageFaults: this.pageFaults,
      pagesSaved: log.pages,
      pagesPreSaved: preSaved.length,
      preSavedInVain: preSaved.filter((frame) => !log.written.has(frame)).length,
    };
  }

  private preSaveSet({ preSave, add = new Uint32Array(0), drop }: EpochPlan, updated: Iterable<number>) {
    const wanted = new Set([...(preSave === 'updated' ? updated : []), ...add]);
    for (const frame of drop ?? []) wanted.delete(frame);
    return [...wanted];
  }

  private openEpoch(
    previousEpoch: number | undefined,
    preSave: readonly number[],
    clusterPages: number,
  ): FakePageLog {
    const log = new FakePageLog(this, this.epoch++, previousEpoch);
    for (const frame of preSave) log.save(frame, this.page(frame), true);
    this.open = log;
    this.logs.push(log);
    this.clusterPages = clusterPages;
    this.pageFaults = 0;
    return log;
  }

  private voidLogs(): void {
    for (const log of this.logs) log.release();
    this.logs = [];
    this.open = undefined;
    this.faulted.length = 0;
  }
}
