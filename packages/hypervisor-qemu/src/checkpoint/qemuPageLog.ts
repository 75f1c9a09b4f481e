import { RmkError, type PageLog } from '@rmk/core';
import { absentFrameError, type EpochLink } from '@rmk/driver';
import type { CheckpointControl, LogHandle } from '../control/checkpointControl.js';

/** The handle of a page log that the control keeps. */
export class QemuPageLog implements PageLog, EpochLink {
  /** Entries as far as they are known: of the open log, those that {@link frames} returned last. */
  pages = 0;
  private invalid: string | undefined;

  constructor(
    readonly control: CheckpointControl,
    readonly handle: LogHandle,
    readonly epoch: number,
    readonly previousEpoch: number | undefined,
    private readonly released: (log: QemuPageLog) => void,
  ) {}

  get isUsable(): boolean {
    return this.invalid === undefined;
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
    this.invalidate('was released');
    this.released(this);
    this.control.releaseLog(this.handle);
  }

  /** From now on it is unusable, for a reason that is not its owner's. */
  invalidate(reason: string): void {
    this.invalid ??= reason;
  }

  private checkUsable(): void {
    if (this.invalid === undefined) return;
    throw new RmkError('RMK_ERR_RELEASED', `the page log ${this.invalid}; take a new checkpoint`);
  }
}
