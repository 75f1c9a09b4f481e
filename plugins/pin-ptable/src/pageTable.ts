import 'reflect-metadata';
import {
  BUS,
  VIRTUAL_MACHINE,
  type Bus,
  type Checkpointed,
  type CheckpointingPin,
  type EpochPlan,
  type Module,
  type PageTablePin,
  type RollbackTarget,
  type RolledBack,
  type VirtualMachine,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';

/** P_PTABLE and CHECKPOINTING over the VirtualMachine port. */
@injectable()
export class PageTable implements PageTablePin, CheckpointingPin, Module {
  constructor(
    @inject(VIRTUAL_MACHINE) private readonly machine: VirtualMachine,
    @inject(BUS) private readonly bus: Bus,
  ) {}

  start(): void {
    const pageFault = this.bus.topic('EVT_PAGEFAULT');
    const logLost = this.bus.topic('EVT_LOGLOST');
    this.machine.observe('pagefault', (fact) => pageFault.publish(fact));
    this.machine.observe('loglost', (fact) => logLost.publish(fact));
  }

  get memoryPages(): number {
    return this.machine.memoryPages;
  }

  read(address: number, bytes: number): Promise<Uint8Array> {
    return this.machine.read(address, bytes);
  }

  write(address: number, data: Uint8Array): Promise<void> {
    return this.machine.write(address, data);
  }

  checkpoint(plan: EpochPlan): Promise<Checkpointed> {
    return this.machine.checkpoint(plan);
  }

  rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
    return this.machine.rollback(to, plan);
  }
}
