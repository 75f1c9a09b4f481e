import 'reflect-metadata';
import {
  BUS,
  messageOf,
  RmkError,
  Sequencer,
  VIRTUAL_MACHINE,
  type Bus,
  type Module,
  type Suspension,
  type VcpuPin,
  type VirtualMachine,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';

/** P_VCPU over the VirtualMachine port. */
@injectable()
export class Vcpu implements VcpuPin, Module {
  private readonly suspensions = new Set<Suspension>();
  /** Marks the suspensions of this pin. A property, because callers hold facades of them. */
  private readonly ownMark = Symbol('suspension');
  private suspended = false;
  /** Suspending and resuming wait for each other. */
  private readonly operations = new Sequencer();

  constructor(
    @inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine,
    @inject(BUS) private readonly bus: Bus,
  ) {}

  start(): void {
    const exited = this.bus.topic('EVT_VMEXITED');
    const gone = this.bus.topic('EVT_VMGONE');
    const asleep = this.bus.topic('EVT_VMASLEEP');
    const awake = this.bus.topic('EVT_VMAWAKE');
    this.machine.observe('asleep', (fact) => asleep.publish(fact));
    this.machine.observe('awake', (fact) => awake.publish(fact));
    this.machine.observe('exited', (fact) => exited.publish(fact));
    this.machine.observe('gone', (fact) => gone.publish(fact));
  }

  get registers(): readonly string[] {
    return this.machine.registers;
  }

  async suspend(): Promise<Suspension> {
    const suspension: Suspension = {
      [this.ownMark]: true,
      [Symbol.dispose]: () => this.release(suspension),
    };
    this.suspensions.add(suspension);
    try {
      await this.settle();
    } catch (error) {
      this.suspensions.delete(suspension);
      throw error;
    }
    return suspension;
  }

  async resume(suspension: Suspension): Promise<void> {
    this.refuseForeign(suspension);
    suspension[Symbol.dispose]();
    await this.settle();
  }

  readRegister(name: string): Promise<bigint> {
    return this.machine.readRegister(name);
  }

  writeRegister(name: string, value: bigint): Promise<void> {
    return this.machine.writeRegister(name, value);
  }

  async restart(): Promise<void> {
    await this.machine.restart();
    this.bus.topic('EVT_VMRESTARTED').publish({ atNs: this.machine.clock.now() });
  }

  private refuseForeign(given: unknown): void {
    if (typeof given === 'object' && given !== null && this.ownMark in given) return;
    throw new RmkError(
      'RMK_ERR_INPUT',
      `P_VCPU.resume: expected a suspension that suspend() of this P_VCPU returned, given ${given === null ? 'null' : typeof given === 'object' ? 'another object' : typeof given}. Keep what suspend() returns, and pass that.`,
    );
  }

  private release(suspension: Suspension): void {
    if (!this.suspensions.delete(suspension)) return;
    // Nobody awaits a disposal, so this is the only report of its failure.
    this.settle().catch((error: unknown) => {
      const message = `the VM stays suspended, because it could not be resumed: ${messageOf(error)}. Suspend and resume it again.`;
      this.bus.topic('EVT_WARNING').publish({
        atNs: this.machine.clock.now(),
        code: 'RMK_WARN_VCPU',
        message,
      });
    });
  }

  /** Suspends or resumes the VM, whichever the suspensions then ask for: at once if nothing is under way. */
  private settle(): Promise<void> {
    return this.operations.runAtOnce(() => (this.suspensions.size > 0 ? this.halt() : this.run()));
  }

  private async halt(): Promise<void> {
    // Also where the pin believes that the VM is suspended: the driver may have been used by others.
    await this.machine.suspend();
    if (this.suspended) return;
    this.suspended = true;
    this.bus.topic('EVT_VCPUSUSPENDED').publish({ atNs: this.machine.clock.now() });
  }

  private async run(): Promise<void> {
    if (!this.suspended) return;
    await this.machine.resume();
    this.suspended = false;
    this.bus.topic('EVT_VCPURESUMED').publish({ atNs: this.machine.clock.now() });
  }
}
