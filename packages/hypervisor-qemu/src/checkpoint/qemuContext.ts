import { RmkError, type Context, type Nanoseconds } from '@rmk/core';
import type { CheckpointControl, StateHandle } from '../control/checkpointControl.js';
import type { QemuPageLog } from './qemuPageLog.js';

/** What belongs to a checkpoint besides the state of the devices, which the control keeps. */
export interface SavedPosition {
  readonly guestNs: Nanoseconds;
  /** Bytes of each device's committed output. */
  readonly output: ReadonlyMap<string, number>;
}

/** The handle of a saved device state, and the positions of the devices when it was saved. */
export class QemuContext implements Context {
  private invalid: string | undefined;

  /** `log`: that of the epoch opened with it. */
  constructor(
    private readonly control: CheckpointControl,
    readonly handle: StateHandle,
    readonly bytes: number,
    readonly log: QemuPageLog,
    readonly position: SavedPosition,
    private readonly released: (context: QemuContext) => void,
  ) {}

  async verify(): Promise<boolean> {
    this.checkUsable();
    return this.control.verifyState(this.handle);
  }

  release(): void {
    if (this.invalid !== undefined) return;
    this.invalidate('was released');
    this.released(this);
    this.control.releaseState(this.handle);
  }

  /** From now on it is unusable, for a reason that is not its owner's. */
  invalidate(reason: string): void {
    this.invalid ??= reason;
  }

  /** Throws `RMK_ERR_RELEASED` if it was released or invalidated. */
  checkUsable(): void {
    if (this.invalid === undefined) return;
    throw new RmkError('RMK_ERR_RELEASED', `the context ${this.invalid}; take a new checkpoint`);
  }
}
