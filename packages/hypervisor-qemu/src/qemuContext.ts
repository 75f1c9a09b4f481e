import { RmkError, type Context, type Nanoseconds } from '@rmk/core';
import type { CheckpointControl, StateHandle } from './checkpointControl.js';
import type { QemuPageLog } from './qemuPageLog.js';

/** What belongs to a checkpoint besides the state of the devices, which lies with the control. */
export interface Moment {
  /** Guest time. */
  readonly guestNs: Nanoseconds;
  /** Bytes of each device's committed output. */
  readonly positions: ReadonlyMap<string, number>;
}

/** The handle of a saved device state, and the positions of the devices when it was saved. */
export class QemuContext implements Context {
  private voidReason: string | undefined;

  /** `log`: that of the epoch opened with it. */
  constructor(
    private readonly control: CheckpointControl,
    readonly handle: StateHandle,
    readonly bytes: number,
    readonly log: QemuPageLog,
    readonly moment: Moment,
    private readonly givenBack: (context: QemuContext) => void,
  ) {}

  async verify(): Promise<boolean> {
    this.checkUsable();
    return this.control.verifyState(this.handle);
  }

  release(): void {
    if (this.voidReason !== undefined) return;
    this.makeVoid('was released');
    this.givenBack(this);
    this.control.releaseState(this.handle);
  }

  makeVoid(reason: string): void {
    this.voidReason ??= reason;
  }

  /** `RMK_ERR_RELEASED` where it was. */
  checkUsable(): void {
    if (this.voidReason === undefined) return;
    throw new RmkError('RMK_ERR_RELEASED', `the context ${this.voidReason}; take a new checkpoint`);
  }
}
