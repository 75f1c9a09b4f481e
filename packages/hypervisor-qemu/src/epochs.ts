import type { Checkpointed, EpochReport, Nanoseconds, RollbackTarget } from '@rmk/core';
import { checkLogChain, foreignContextError, foreignLogError } from '@rmk/driver';
import type { CheckpointControl, Cut } from './checkpointControl.js';
import { QemuContext, type Moment } from './qemuContext.js';
import { QemuPageLog } from './qemuPageLog.js';

interface OpenEpoch {
  readonly log: QemuPageLog;
  readonly openedAtNs: Nanoseconds;
  readonly pauseHostNs: Nanoseconds;
}

/** The checkpoints of one VM: which handles are good, and what each epoch began with. */
export class Epochs {
  /** Of the epoch that is open, counted from 0 since the VM was made. */
  epoch = 0;
  private open: OpenEpoch | undefined;
  private readonly logs = new Set<QemuPageLog>();
  private readonly contexts = new Set<QemuContext>();

  constructor(private readonly vm: string) {}

  /** Takes a cut of the control as a checkpoint. */
  checkpointed(control: CheckpointControl, cut: Cut, atNs: Nanoseconds, moment: Moment): Checkpointed {
    const closed = this.report(cut, atNs);
    const previousEpoch = closed === undefined ? undefined : this.open?.log.epoch;
    const opened = this.opened(control, cut, atNs, moment, previousEpoch);
    return closed === undefined ? opened : { ...opened, closed };
  }

  /** Takes the cut that a rollback to `target` left as the checkpoint that stands there now. */
  reopened(
    control: CheckpointControl,
    cut: Cut,
    atNs: Nanoseconds,
    target: QemuContext,
    moment: Moment,
  ): Checkpointed {
    return this.opened(control, cut, atNs, moment, target.log.previousEpoch);
  }

  /** The handles that a rollback needs. `RMK_ERR_INPUT` for those of another VM, `RMK_ERR_RELEASED` where one is missing. */
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

  /** Every checkpoint there is is void; the next one is a first one. `release`: whether the control has them still. */
  void(reason: string, release: boolean): void {
    for (const log of this.logs) {
      if (release) log.release();
      log.makeVoid(reason);
    }
    for (const context of this.contexts) {
      if (release) context.release();
      context.makeVoid(reason);
    }
    this.logs.clear();
    this.contexts.clear();
    this.open = undefined;
  }

  private opened(
    control: CheckpointControl,
    cut: Cut,
    atNs: Nanoseconds,
    moment: Moment,
    previousEpoch: number | undefined,
  ): Checkpointed {
    const log = new QemuPageLog(
      control,
      cut.log,
      this.epoch,
      previousEpoch,
      (given) => void this.logs.delete(given),
    );
    const context = new QemuContext(
      control,
      cut.state,
      cut.stateBytes,
      log,
      moment,
      (given) => void this.contexts.delete(given),
    );
    this.logs.add(log);
    this.contexts.add(context);
    this.open = { log, openedAtNs: atNs, pauseHostNs: cut.pauseNs };
    this.epoch++;
    return { atNs, context, log };
  }

  private report({ closed }: Cut, closedAtNs: Nanoseconds): EpochReport | undefined {
    if (closed === undefined || this.open === undefined) return undefined;
    const { log, openedAtNs, pauseHostNs } = this.open;
    const { updated } = closed;
    log.pages = updated.length;
    return {
      openedAtNs,
      closedAtNs,
      updated,
      // The tracker finds what was written by itself: the guest waits for no fault, and nothing is saved ahead.
      pageFaults: 0,
      pagesSaved: updated.length,
      pagesPreSaved: 0,
      preSavedInVain: 0,
      pauseHostNs,
    };
  }
}
