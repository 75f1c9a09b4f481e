import type { Clock } from './clock.js';
import type { Context, EpochPlan, EpochReport, PageLog } from './pageLog.js';
import { token, type Token } from './token.js';
import type { Nanoseconds } from './units.js';

/** What only some drivers can do. A plugin's manifest names what it needs. */
export type Capability = 'pagefault-facts' | 'instruction-count' | 'deterministic';

export type Privilege = 'user' | 'kernel' | 'machine';

/** A sign that the guest's system software works, and when it was last seen since the previous fact. */
export interface ProgressSign {
  /** `'context-switch'`, `'timer-rearmed'`, `'heartbeat'`; the list is open. */
  readonly sign: string;
  readonly atNs: Nanoseconds;
}

/** What a driver reports about its VM: synchronously, at an instruction boundary, after the mechanism has acted. */
export interface Facts {
  /** First writes to protected pages, after their contents were saved. May come late and several at once. */
  pagefault: { readonly atNs: Nanoseconds; readonly frames: Uint32Array };
  /** An exception that was taken, or a signal that reached the hypervisor. */
  signal: { readonly atNs: Nanoseconds; readonly cause: string; readonly privilege: Privilege };
  /** What the VM did since the previous fact. At least one every {@link VirtualMachine.schedulingIntervalNs}. */
  scheduled: {
    readonly atNs: Nanoseconds;
    /** Domain time spent in instructions, waiting for something that will wake it, and waiting for nothing. */
    readonly cpuNs: Nanoseconds;
    readonly idleNs: Nanoseconds;
    readonly haltedNs: Nanoseconds;
    /** Instructions executed in the stretch; only with the capability `instruction-count`. */
    readonly instructions?: number;
    /** State at the end of the stretch. `'halted'`: nothing can wake it. */
    readonly state: 'ran' | 'idle' | 'halted';
    readonly progress: readonly ProgressSign[];
  };
  output: {
    readonly atNs: Nanoseconds;
    readonly device: string;
    readonly data: Uint8Array;
    /** Bytes that the device had put out before, in committed output. */
    readonly position: number;
    /** Guest time, and the epoch (counted from 0 since the VM was made) in which it was written. */
    readonly guestNs: Nanoseconds;
    readonly epoch: number;
  };
  /** The log area is full. No checkpoint is usable any more; the guest continues. */
  loglost: { readonly atNs: Nanoseconds; readonly reason: string };
  /**
   * The guest reset its machine of its own will, and boots again. A reset that its vCPU was forced into, such as by a
   * triple fault, is a `signal`.
   */
  rebooted: { readonly atNs: Nanoseconds };
  /** The guest suspended itself to RAM, and domain time is paused. */
  asleep: { readonly atNs: Nanoseconds };
  /** It was woken, and domain time goes on. */
  awake: { readonly atNs: Nanoseconds };
  /** A program of the guest opened or closed its end of a channel. */
  channel: { readonly atNs: Nanoseconds; readonly device: string; readonly isOpen: boolean };
  /** The guest switched itself off. A rollback or a restart brings it back. */
  exited: { readonly atNs: Nanoseconds; readonly code: number };
  /** The hypervisor of this VM is lost. */
  gone: { readonly atNs: Nanoseconds; readonly reason: string };
}

/** A new checkpoint: its time, and its two parts. */
export interface Checkpointed {
  readonly atNs: Nanoseconds;
  readonly context: Context;
  /** The log of the epoch that has just been opened; it fills from now on. */
  readonly log: PageLog;
  /** The epoch that ended; absent for the first. */
  readonly closed?: EpochReport;
}

/** The result of a rollback, with the new checkpoint at its target. */
export interface RolledBack extends Checkpointed {
  readonly pagesRestored: number;
  /** Guest time between the target and the discarded state: the work lost. */
  readonly undoneNs: Nanoseconds;
  /** Bytes of output that had left already and are struck from the committed output. */
  readonly outputStruckBytes: number;
}

/**
 * The parts of the checkpoint to go to, and the page logs of every epoch since then, newest first, the open one
 * included.
 */
export interface RollbackTarget {
  readonly context: Context;
  readonly logs: readonly PageLog[];
}

/** The port: what every hypervisor must offer. One VM a domain; operations run in the order of the calls. */
export interface VirtualMachine {
  readonly name: string;
  readonly memoryPages: number;
  readonly registers: readonly string[];
  /** The causes that {@link raise} takes. */
  readonly signals: readonly string[];
  readonly capabilities: ReadonlySet<Capability>;
  /** The longest stretch of domain time between two `scheduled` facts. */
  readonly schedulingIntervalNs: Nanoseconds;
  readonly clock: Clock;
  observe<F extends keyof Facts>(fact: F, observer: (what: Facts[F]) => void): Disposable;
  /**
   * Set once by the domain. While `pending` returns a promise, the driver holds this VM if it can (the embedded one
   * always).
   */
  holdWhile(pending: () => Promise<void> | undefined): void;
  /** Idempotent, as is {@link resume}. */
  suspend(): Promise<void>;
  resume(): Promise<void>;
  readRegister(name: string): Promise<bigint>;
  writeRegister(name: string, value: bigint): Promise<void>;
  /** `address`: guest-physical. */
  read(address: number, bytes: number): Promise<Uint8Array>;
  /** Counts as a write of the guest: its prior content goes to the open log, and a rollback undoes it. */
  write(address: number, data: Uint8Array): Promise<void>;
  /** Raises an exception or a signal in the guest, as if the hardware had. */
  raise(cause: string): Promise<void>;
  input(device: string, data: Uint8Array): Promise<void>;
  /** Ends the epoch, saves the context, opens the next: one atomic step. On failure the old epoch stays open. */
  checkpoint(plan: EpochPlan): Promise<Checkpointed>;
  /**
   * Verifies everything, restores the pages, loads the context, opens a new epoch; all or nothing. The VM must be
   * suspended. Throws `RMK_ERR_LOGDAMAGED` if the context or a needed entry fails its checksum.
   */
  rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack>;
  /**
   * Returns the VM to its state at boot: guest time begins at 0, and all committed output is struck. No earlier
   * checkpoint is usable afterwards.
   */
  restart(): Promise<void>;
  close(): Promise<void>;
  /**
   * What only this driver has, by a token that the driver exports; undefined for tokens of other drivers. Lets
   * third-party pins wrap something that the port does not have.
   */
  extension<T>(of: Token<T>): T | undefined;
}

/** The VM of the domain; only for plugins that provide pins. */
export const VIRTUAL_MACHINE = token<VirtualMachine>('VIRTUAL_MACHINE', {
  members: [
    'name',
    'memoryPages',
    'registers',
    'signals',
    'capabilities',
    'schedulingIntervalNs',
    'clock',
    'observe',
    'holdWhile',
    'suspend',
    'resume',
    'readRegister',
    'writeRegister',
    'read',
    'write',
    'raise',
    'input',
    'checkpoint',
    'rollback',
    'restart',
    'close',
    'extension',
  ],
});
