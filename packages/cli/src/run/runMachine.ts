import type { Nanoseconds, VirtualMachine } from '@rmk/core';
import type { EmbeddedHypervisor, EmbeddedMachine } from '@rmk/hypervisor-embedded';
import { TranscriptOutput, type GuestFiles, type GuestOutput } from './guestOutput.js';

/** A VM of a run, and what is known of it besides the facts of the port. */
export interface RunMachine {
  readonly vm: VirtualMachine;
  readonly output: GuestOutput;
  /** Guest time undone by rollbacks and restarts. */
  readonly workLostNs: Nanoseconds;
  /** Undefined if the hypervisor does not count them. */
  readonly instructions: number | undefined;
  /** Undefined if the guest did not switch itself off. */
  readonly exitCode: number | undefined;
  readonly isRunnable: boolean;
  /** Whether it ran before this run began, which took it over. */
  readonly attached: boolean;
  /** The recovery gave it up: the run no longer waits for it. */
  giveUp(): void;
}

/** How the machine of a guest is made. */
export interface MachineStart {
  /** Where its output goes, besides the terminal. */
  readonly files?: GuestFiles;
  /** Called before anything in it runs. */
  readonly observe?: (machine: RunMachine) => void;
  /** Ends the boot. */
  readonly signal: AbortSignal;
  /** Whether a VM of its name that runs already is taken over instead. */
  readonly takesOver: boolean;
}

/** What runs all VMs of a run. */
export interface RunHypervisor {
  /** Runs until all have ended, `untilNs` of domain time is reached, or `signal` is aborted. */
  run(options: { readonly untilNs: Nanoseconds; readonly signal: AbortSignal }): Promise<unknown>;
  close(): Promise<void>;
  /** What a user is to know of VMs that run on if this process ends at once. */
  readonly leftBehind: readonly string[];
}

/** Its VMs end with this process. */
export class EmbeddedRun implements RunHypervisor {
  readonly leftBehind: readonly string[] = [];

  constructor(private readonly hypervisor: EmbeddedHypervisor) {}

  run(options: { readonly untilNs: Nanoseconds; readonly signal: AbortSignal }): Promise<void> {
    return this.hypervisor.run(options);
  }

  close(): Promise<void> {
    return this.hypervisor.close();
  }
}

/** An embedded machine knows all that by itself. */
export class EmbeddedRunMachine implements RunMachine {
  readonly attached = false;

  readonly output: GuestOutput;

  constructor(
    readonly vm: EmbeddedMachine,
    files?: GuestFiles,
  ) {
    this.output = new TranscriptOutput(vm, files);
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
