import 'reflect-metadata';
import {
  BUS,
  VIRTUAL_MACHINE,
  type Bus,
  type Module,
  type Nanoseconds,
  type SchedulingPin,
  type VirtualMachine,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';

/** P_VMSCHL over the VirtualMachine port. */
@injectable()
export class Scheduling implements SchedulingPin, Module {
  constructor(
    @inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine,
    @inject(BUS) private readonly bus: Bus,
  ) {}

  start(): void {
    const scheduled = this.bus.topic('EVT_VMSCHEDULED');
    this.machine.observe('scheduled', (fact) => scheduled.publish(fact));
  }

  get schedulingIntervalNs(): Nanoseconds {
    return this.machine.schedulingIntervalNs;
  }
}
