import type { Bus, Domain } from '@rmk/core';
import type { Detection, EmbeddedMachine, MachineSnapshot, Sentinel } from '@rmk/hypervisor-embedded';

/** A VM like the one that is debugged, alone on its hypervisor. */
export interface Twin {
  readonly machine: EmbeddedMachine;
  /** `signal`: ends the run. */
  run(options: { readonly untilNs: number; readonly signal?: AbortSignal }): Promise<void>;
}

/** Starts the protection of a VM. */
export type Protect = (machine: EmbeddedMachine, observe: (bus: Bus) => void) => Promise<Domain>;

/** Runs a protected VM up to the first error that its plugins detect, and no further: no recovery follows. */
export class ProtectedTwin implements Sentinel {
  private domain: Domain | undefined;
  private detection: Detection | undefined;
  private detected = new AbortController();

  constructor(
    private readonly twin: Twin,
    private readonly protect: Protect,
  ) {}

  async startFrom(snapshot: MachineSnapshot): Promise<void> {
    await this.stop();
    this.twin.machine.load(snapshot);
    await this.startHere();
  }

  /** Protects the twin where it is. */
  async startHere(): Promise<void> {
    this.detection = undefined;
    this.detected = new AbortController();
    this.domain = await this.protect(this.twin.machine, (bus) => {
      bus.on('EVT_ERRORDETECTED', ({ kind, cause, source }) =>
        this.detect(`${kind} detected by ${source}: ${cause}`),
      );
    });
  }

  async until(guestNs: number): Promise<Detection | undefined> {
    const { machine } = this.twin;
    const { signal } = this.detected;
    if (this.detection === undefined && guestNs > machine.guestNs)
      await this.twin.run({ untilNs: machine.clock.now() + guestNs - machine.guestNs, signal });
    return this.detection;
  }

  async stop(): Promise<void> {
    await this.domain?.stop();
    this.domain = undefined;
  }

  private detect(what: string): void {
    const { guestNs, instructions } = this.twin.machine;
    this.detection ??= { guestNs, instructions, what };
    this.detected.abort();
  }
}
