/** Who gives the orders: the library inside QEMU calls QEMU's own functions, or RMK goes by QMP. */
export type ControlKind = 'in-process' | 'qmp';

/** How written pages are found: by the dirty bitmap that QEMU keeps, or by asynchronous write protection of the kernel. */
export type TrackerKind = 'dirty-bitmap' | 'userfaultfd-async';

/** Handles of what lies in the shared memory of the library; never used again for something else. */
export type StateHandle = number;
export type LogHandle = number;

/** What the audit found while the VM stood still: proof for tests and self-tests, at the price of reading all of RAM. */
export interface Audit {
  /** Of all guest RAM, hexadecimal. */
  readonly ramDigest: string;
  /**
   * Offsets at which the device state, saved again after a rollback, differs from the stream that was loaded; without those
   * of the time of day in the real-time clock, which goes by the clock of the host.
   */
  readonly stateDifferences?: readonly number[];
}

/** The epoch that a cut ended. */
export interface ClosedLog {
  readonly log: LogHandle;
  /** Page frames written, ascending. */
  readonly updated: Uint32Array;
}

/** A checkpoint taken: times are CLOCK_MONOTONIC, as `process.hrtime.bigint()` gives them. */
export interface ControlCheckpoint {
  readonly state: StateHandle;
  readonly stateBytes: number;
  /** The log of the epoch that the cut opened. */
  readonly log: LogHandle;
  /** Absent for the first, and after protection was lost. */
  readonly closed?: ClosedLog;
  readonly atMonotonicNs: bigint;
  readonly pauseNs: number;
  /** Of the pause: saving device state, and copying pages. */
  readonly stateNs: number;
  readonly pagesNs: number;
  /** Pages copied before the pause, while the guest ran. */
  readonly prePassPages: number;
  readonly audit?: Audit;
}

export interface ControlRollback extends ControlCheckpoint {
  readonly pagesRestored: number;
  /** From the order to the VM being ready to run on, its parts in the order in which they are done. */
  readonly steps: readonly { readonly step: string; readonly ns: number }[];
}

export interface ControlOptions {
  /** Room for prior contents of pages, in all logs together. */
  readonly logPages: number;
  /** Compute digests of all RAM inside each pause. */
  readonly audit: boolean;
}

/** What the library reports by itself. */
export interface ControlEvents {
  /** The log area is full: all logs are void, tracking has ended, the guest runs on. The next cut is a first one. */
  lost(reason: string): void;
  /** The library or its socket is gone. */
  closed(reason: string): void;
}

/**
 * Called inside the pause of each cut and each rollback, before the VM runs on, when a handler is registered: what holds
 * output back until a checkpoint covers it decides here. It must answer at once, and may not wait for the VM.
 */
export type PauseHandler = (cut: {
  readonly kind: 'checkpoint' | 'rollback';
  readonly atMonotonicNs: bigint;
}) => void;

/**
 * What takes checkpoints of one QEMU process and undoes them. Orders run one after the other. Errors are coded:
 * `RMK_ERR_LOGDAMAGED` where something needed fails its checksum (nothing was written then), `RMK_ERR_LOGFULL` where the
 * epoch finds no room (it stays open; release older logs and try again, unless `lost` was told), `RMK_ERR_RELEASED`,
 * `RMK_ERR_STATE` where it cannot be done now, `RMK_ERR_GONE` where QEMU or the library is gone.
 */
export interface CheckpointControl {
  readonly kind: ControlKind;
  readonly tracker: TrackerKind;
  /** Ends the epoch, saves the device state, opens the next epoch, and lets the VM run on if it ran. */
  checkpoint(): Promise<ControlCheckpoint>;
  /**
   * Goes back to `state`; `logs` are those of every epoch since, newest first, the open one included. Afterwards the VM is
   * stopped at that state, a new epoch is open, and `resume()` of the machine lets it run on.
   */
  rollback(state: StateHandle, logs: readonly LogHandle[]): Promise<ControlRollback>;
  /** Page frames with an entry; for the open log those known to be written so far, which asks the tracker. */
  frames(log: LogHandle): Promise<Uint32Array>;
  /** Prior content of a page; undefined where the log has none. */
  page(log: LogHandle, frame: number): Promise<Uint8Array | undefined>;
  /** Page frames whose entries fail their checksum. */
  verifyLog(log: LogHandle): Promise<Uint32Array>;
  verifyState(state: StateHandle): Promise<boolean>;
  /** The device state as QEMU wrote it: for finding out which device an offset belongs to. */
  stateStream(state: StateHandle): Promise<Uint8Array>;
  releaseLog(log: LogHandle): void;
  releaseState(state: StateHandle): void;
  /** As if the guest had written: tracked, and translated code that lay there is dropped. */
  write(address: number, data: Uint8Array): Promise<void>;
  /** All of RAM may have been written in its file, which no tracker sees: every log is void, the next cut is a first one. */
  memoryReplaced(): Promise<void>;
  /** Pages written since this was asked last, as far as the tracker can tell without stopping the VM: a sign of life. */
  newlyWrittenPages(): Promise<number>;
  onPause(handler: PauseHandler | undefined): Promise<void>;
  /** Switches the digests in each pause on or off. */
  setAudit(audit: boolean): Promise<void>;
  /** Ends tracking and protection; the guest runs on. */
  close(): Promise<void>;
}
