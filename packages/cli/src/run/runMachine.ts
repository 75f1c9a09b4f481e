import type { Nanoseconds, VirtualMachine } from '@rmk/core';
import type { EmbeddedMachine } from '@rmk/hypervisor-embedded';

/** A VM of a run, and what is known of it besides the facts of the port. */
export interface RunMachine {
  readonly vm: VirtualMachine;
  readonly committedOutput: Uint8Array;
  readonly wireOutput: Uint8Array;
  /** Guest time undone by rollbacks and restarts. */
  readonly workLostNs: Nanoseconds;
  /** Undefined if the hypervisor does not count them. */
  readonly instructions: number | undefined;
  /** Undefined if the guest did not switch itself off. */
  readonly exitCode: number | undefined;
  readonly isRunnable: boolean;
  /** The recovery gave it up: the run no longer waits for it. */
  giveUp(): void;
}

/** What runs all VMs of a run. */
export interface RunHypervisor {
  /** Runs until all have ended, `untilNs` of domain time is reached, or `signal` is aborted. */
  run(options: { readonly untilNs: Nanoseconds; readonly signal: AbortSignal }): Promise<unknown>;
  close(): Promise<void>;
}

/** An embedded machine knows all that by itself. */
export class EmbeddedRunMachine implements RunMachine {
  constructor(readonly vm: EmbeddedMachine) {}

  get committedOutput(): Uint8Array {
    return this.vm.committedOutput;
  }

  get wireOutput(): Uint8Array {
    return this.vm.wireOutput;
  }

  get workLostNs(): Nanoseconds {
    return this.vm.clock.now() - this.vm.guestNs;
  }

  get instructions(): number {
    return this.vm.instructions;
  }

  get exitCode(): number | undefined {
    return this.vm.exitCode;
  }

  get isRunnable(): boolean {
    return this.vm.isRunnable;
  }

  /** A suspended machine ends the run by itself. */
  giveUp(): void {}
}
