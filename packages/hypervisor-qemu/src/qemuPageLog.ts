import { RmkError, type PageLog } from '@rmk/core';
import { absentFrameError, type EpochLink } from '@rmk/driver';
import type { CheckpointControl, LogHandle } from './checkpointControl.js';

/** The handle of a page log that lies with the control. */
export class QemuPageLog implements PageLog, EpochLink {
  /** Entries as far as they are known: of the open log, those that were asked for last. */
  pages = 0;
  private voidReason: string | undefined;

  constructor(
    readonly control: CheckpointControl,
    readonly handle: LogHandle,
    readonly epoch: number,
    readonly previousEpoch: number | undefined,
    private readonly givenBack: (log: QemuPageLog) => void,
  ) {}

  get isUsable(): boolean {
    return this.voidReason === undefined;
  }

  async frames(): Promise<Uint32Array> {
    this.checkUsable();
    const frames = await this.control.frames(this.handle);
    this.pages = frames.length;
    return frames;
  }

  async read(frame: number): Promise<Uint8Array> {
    this.checkUsable();
    const page = await this.control.page(this.handle, frame);
    if (page !== undefined) return page;
    throw absentFrameError(frame);
  }

  async verify(): Promise<Uint32Array> {
    this.checkUsable();
    return this.control.verifyLog(this.handle);
  }

  release(): void {
    if (!this.isUsable) return;
    this.makeVoid('was released');
    this.givenBack(this);
    this.control.releaseLog(this.handle);
  }

  /** Not usable any more, for a reason that is not the owner's. */
  makeVoid(reason: string): void {
    this.voidReason ??= reason;
  }

  private checkUsable(): void {
    if (this.voidReason === undefined) return;
    throw new RmkError('RMK_ERR_RELEASED', `the page log ${this.voidReason}; take a new checkpoint`);
  }
}
