import 'reflect-metadata';
import { BUS, VIRTUAL_MACHINE, type Bus, type Module, type VcpuPin, type VirtualMachine } from '@rmk/core';
import { inject, injectable } from 'tsyringe';

/** P_VCPU over the VirtualMachine port. */
@injectable()
export class Vcpu implements VcpuPin, Module {
  constructor(
    @inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine,
    @inject(BUS) private readonly bus: Bus,
  ) {}

  start(): void {
    const exited = this.bus.topic('EVT_VMEXITED');
    const gone = this.bus.topic('EVT_VMGONE');
    this.machine.observe('exited', (fact) => exited.publish(fact));
    this.machine.observe('gone', (fact) => gone.publish(fact));
  }

  get registers(): readonly string[] {
    return this.machine.registers;
  }

  async suspend(): Promise<void> {
    await this.machine.suspend();
    this.bus.topic('EVT_VCPUSUSPENDED').publish({ atNs: this.machine.clock.now() });
  }

  async resume(): Promise<void> {
    await this.machine.resume();
    this.bus.topic('EVT_VCPURESUMED').publish({ atNs: this.machine.clock.now() });
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
}
