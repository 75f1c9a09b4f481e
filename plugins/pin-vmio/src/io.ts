import 'reflect-metadata';
import { BUS, VIRTUAL_MACHINE, type Bus, type IoPin, type Module, type VirtualMachine } from '@rmk/core';
import { inject, injectable } from 'tsyringe';

/** P_VMIO over the VirtualMachine port. */
@injectable()
export class Io implements IoPin, Module {
  constructor(
    @inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine,
    @inject(BUS) private readonly bus: Bus,
  ) {}

  start(): void {
    const output = this.bus.topic('EVT_VMOUTPUT');
    const channel = this.bus.topic('EVT_CHANNELCHANGED');
    this.machine.observe('output', (fact) => output.publish(fact));
    this.machine.observe('channel', (fact) => channel.publish(fact));
  }

  input(device: string, data: Uint8Array): Promise<void> {
    return this.machine.input(device, data);
  }
}
