import type { Context, Nanoseconds, PageLog, VirtualMachine } from '@rmk/core';

/** What the suite has to know of the guest in the VM. */
export interface SubjectGuest {
  /** A register that takes any value of 31 bits, and keeps it as long as the VM is suspended. */
  readonly register: string;
  /** Page frames in a row, at least {@link WINDOW_PAGES}, that the guest neither reads nor writes. */
  readonly unusedFrames: { readonly first: number; readonly count: number };
  /** In each stretch of domain time of this length the guest writes to some page. */
  readonly busyNs: Nanoseconds;
  /** In each stretch of this length it puts something out on the device. Without it output is not tested. */
  readonly output?: { readonly device: string; readonly withinNs: Nanoseconds };
  /** What it answers to an input, and how soon. Without it input is not tested. */
  readonly echo?: {
    readonly device: string;
    readonly input: Uint8Array;
    readonly answer: Uint8Array;
    readonly withinNs: Nanoseconds;
  };
}

/** A VM that has booted, as `describeHypervisor` needs it. */
export interface HypervisorSubject {
  readonly machine: VirtualMachine;
  readonly guest: SubjectGuest;
  /**
   * Runs the VM until this much domain time has passed and nothing holds it. Returns early if the VM cannot continue:
   * suspended, off, or halted forever.
   */
  runFor(byNs: Nanoseconds): Promise<void>;
  /** The guest-physical address of a page frame. */
  addressOf(frame: number): number;
  /** By how much facts and timers may be late, in domain time. Default: 0, so all must be exact. */
  readonly slackNs?: Nanoseconds;
  /**
   * Damages a page log or context, so that the driver must reject a rollback that needs it. Optional: not tested
   * without.
   */
  readonly damage?: {
    log(log: PageLog, frame: number): Promise<void> | void;
    context(context: Context): Promise<void> | void;
  };
  /** Releases everything that the factory acquired. The machine may be closed already. */
  close(): Promise<void>;
}

/** Pages that the suite writes to. */
export const WINDOW_PAGES = 8;

export interface HypervisorSuiteOptions {
  /**
   * For VMs that take long to boot: all tests share one, except those of `close` and of replay. Default: each test has
   * a VM of its own.
   */
  readonly shared?: boolean;
  /** Host milliseconds that a test may take. Default: vitest's configuration. */
  readonly timeoutMs?: number;
  /** Runs of each property test. Default: 25. */
  readonly propertyRuns?: number;
}
