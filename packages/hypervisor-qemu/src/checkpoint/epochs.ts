import type { Checkpointed, EpochReport, Nanoseconds, RollbackTarget } from '@rmk/core';
import { checkLogChain, foreignContextError, foreignLogError } from '@rmk/driver';
import type { CheckpointControl, ControlCheckpoint } from '../control/checkpointControl.js';
import { QemuContext, type SavedPosition } from './qemuContext.js';
import { QemuPageLog } from './qemuPageLog.js';

interface OpenEpoch {
  readonly log: QemuPageLog;
  readonly openedAtNs: Nanoseconds;
  readonly pauseHostNs: Nanoseconds;
}

/** The checkpoints of one VM: which handles are valid, and what each epoch began with. */
export class Epochs {
  /** Of the epoch that is open, counted from 0 since the VM was created. */
  epoch = 0;
  private open: OpenEpoch | undefined;
  private readonly logs = new Set<QemuPageLog>();
  private readonly contexts = new Set<QemuContext>();

  constructor(private readonly vm: string) {}

  /** Registers a checkpoint of the control. */
  checkpointed(
    control: CheckpointControl,
    taken: ControlCheckpoint,
    atNs: Nanoseconds,
    position: SavedPosition,
  ): Checkpointed {
    const closed = this.report(taken, atNs);
    const previousEpoch = closed === undefined ? undefined : this.open?.log.epoch;
    const opened = this.opened(control, taken, atNs, position, previousEpoch);
    return closed === undefined ? opened : { ...opened, closed };
  }

  /** Registers the checkpoint that a rollback to `target` left there. */
  reopened(
    control: CheckpointControl,
    taken: ControlCheckpoint,
    atNs: Nanoseconds,
    target: QemuContext,
    position: SavedPosition,
  ): Checkpointed {
    return this.opened(control, taken, atNs, position, target.log.previousEpoch);
  }

  /**
   * The handles that a rollback needs. Throws `RMK_ERR_INPUT` for those of another VM, `RMK_ERR_RELEASED` if one is
   * missing.
   */
  path(to: RollbackTarget): { readonly context: QemuContext; readonly logs: readonly QemuPageLog[] } {
    const logs = to.logs.map((log) => {
      if (log instanceof QemuPageLog && (this.logs.has(log) || !log.isUsable)) return log;
      throw foreignLogError(this.vm);
    });
    checkLogChain(logs, this.open?.log, ({ isUsable }) => isUsable);
    const { context } = to;
    if (!(context instanceof QemuContext) || context.log !== logs.at(-1)) throw foreignContextError();
    context.checkUsable();
    return { context, logs };
  }

  /** Invalidates every checkpoint; the next one is a first one. `release`: whether the control still keeps them. */
  drop(reason: string, release: boolean): void {
    for (const log of this.logs) {
      if (release) log.release();
      log.invalidate(reason);
    }
    for (const context of this.contexts) {
      if (release) context.release();
      context.invalidate(reason);
    }
    this.logs.clear();
    this.contexts.clear();
    this.open = undefined;
  }

  private opened(
    control: CheckpointControl,
    taken: ControlCheckpoint,
    atNs: Nanoseconds,
    position: SavedPosition,
    previousEpoch: number | undefined,
  ): Checkpointed {
    const log = new QemuPageLog(
      control,
      taken.log,
      this.epoch,
      previousEpoch,
      (released) => void this.logs.delete(released),
    );
    const context = new QemuContext(
      control,
      taken.state,
      taken.stateBytes,
      log,
      position,
      (released) => void this.contexts.delete(released),
    );
    this.logs.add(log);
    this.contexts.add(context);
    this.open = { log, openedAtNs: atNs, pauseHostNs: taken.pauseNs };
    this.epoch++;
    return { atNs, context, log };
  }

  private report({ closed }: ControlCheckpoint, closedAtNs: Nanoseconds): EpochReport | undefined {
    if (closed === undefined || this.open === undefined) return undefined;
    const { log, openedAtNs, pauseHostNs } = this.open;
    const { updated } = closed;
    log.pages = updated.length;
    return {
      openedAtNs,
      closedAtNs,
      updated,
      // The tracker finds what was written without faults, so nothing is saved ahead.
      pageFaults: 0,
      pagesSaved: updated.length,
      pagesPreSaved: 0,
      preSavedInVain: 0,
      pauseHostNs,
    };
  }
}
