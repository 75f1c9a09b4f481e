/** How QEMU is controlled: the library inside it calls its functions, or RMK sends it QMP commands. */
export type ControlKind = 'in-process' | 'qmp';

/**
 * How written pages are found: by the dirty bitmap that QEMU keeps, or by asynchronous write protection of the kernel.
 */
export type TrackerKind = 'dirty-bitmap' | 'userfaultfd-async';

/** Handles of what the library keeps in its shared memory; never reused. */
export type StateHandle = number;
export type LogHandle = number;

/** What the audit found in the pause: proof for tests and self-tests, at the price of reading all of RAM. */
export interface Audit {
  /** Of all guest RAM, hexadecimal. */
  readonly ramDigest: string;
  /**
   * Offsets at which the device state, saved again after a rollback, differs from the stream that was loaded; without
   * those of the time of day in the real-time clock, which goes by the clock of the host.
   */
  readonly stateDifferences?: readonly number[];
}

/** The epoch that a checkpoint ended. */
export interface ClosedLog {
  readonly log: LogHandle;
  /** Page frames written, ascending. */
  readonly updated: Uint32Array;
}

/** A checkpoint taken: times are CLOCK_MONOTONIC, as `process.hrtime.bigint()` gives them. */
export interface ControlCheckpoint {
  readonly state: StateHandle;
  readonly stateBytes: number;
  /** The log of the epoch that the checkpoint opened. */
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
  /** From the request to the VM being ready to run on, its parts in their order. */
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
  /**
   * The log area is full: all logs are dropped, tracking has ended, the guest runs on. The next checkpoint is a first
   * one.
   */
  lost(reason: string): void;
  /** The library or its socket is gone. */
  closed(reason: string): void;
}

/**
 * Called inside the pause of each checkpoint and rollback, before the VM runs on: the place to release output that a
 * checkpoint covers. It must return at once, and must not wait for the VM.
 */
export type PauseHandler = (pause: {
  readonly kind: 'checkpoint' | 'rollback';
  readonly atMonotonicNs: bigint;
}) => void;

/**
 * Takes checkpoints of one QEMU process and rolls back to them. Requests run one after the other. Throws
 * `RMK_ERR_LOGDAMAGED` if something needed fails its checksum (nothing was written then), `RMK_ERR_LOGFULL` if the
 * epoch finds no room (it stays open; release older logs and retry, unless `lost` was called), `RMK_ERR_RELEASED`,
 * `RMK_ERR_STATE` if it is not possible now, `RMK_ERR_GONE` if QEMU or the library is gone.
 */
export interface CheckpointControl {
  readonly kind: ControlKind;
  readonly tracker: TrackerKind;
  /** Ends the epoch, saves the device state, opens the next epoch, and resumes the VM if it ran. */
  checkpoint(): Promise<ControlCheckpoint>;
  /**
   * Rolls back to `state`; `logs` are those of every epoch since, newest first, the open one included. Afterwards the
   * VM is paused at that state, and a new epoch is open.
   */
  rollback(state: StateHandle, logs: readonly LogHandle[]): Promise<ControlRollback>;
  /** Page frames with an entry; for the open log, those that the tracker has found so far. */
  frames(log: LogHandle): Promise<Uint32Array>;
  /** Prior content of a page; undefined if the log has none. */
  page(log: LogHandle, frame: number): Promise<Uint8Array | undefined>;
  /** Page frames whose entries fail their checksum. */
  verifyLog(log: LogHandle): Promise<Uint32Array>;
  verifyState(state: StateHandle): Promise<boolean>;
  /** The device state as QEMU wrote it, to find the device that an offset belongs to. */
  stateStream(state: StateHandle): Promise<Uint8Array>;
  releaseLog(log: LogHandle): void;
  releaseState(state: StateHandle): void;
  /** Writes as the guest would: tracked, and QEMU drops translated code at that address. */
  write(address: number, data: Uint8Array): Promise<void>;
  /** RAM was written in its file, which no tracker sees: drops every log. The next checkpoint is a first one. */
  memoryReplaced(): Promise<void>;
  /** Pages written since the last call, as far as the tracker knows without pausing the VM: a sign of progress. */
  newlyWrittenPages(): Promise<number>;
  onPause(handler: PauseHandler | undefined): Promise<void>;
  /** Switches the digests in each pause on or off. */
  setAudit(audit: boolean): Promise<void>;
  /** Ends tracking and protection; the guest runs on. */
  close(): Promise<void>;
}
