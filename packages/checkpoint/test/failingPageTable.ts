import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTING,
  definePlugin,
  P_PTABLE,
  provide,
  VIRTUAL_MACHINE,
  type Bus,
  type Checkpointed,
  type EpochPlan,
  type Plugin,
  type RollbackTarget,
  type RolledBack,
  type VirtualMachine,
} from '@rmk/core';
import { PageTable } from '@rmk/pin-ptable';
import { inject, injectable } from 'tsyringe';

/** When the pin of {@link failingPageTable} fails: before or after the driver did what was asked. */
export class Failures {
  next: 'before' | 'after' | undefined;

  reach(moment: 'before' | 'after'): void {
    if (this.next !== moment) return;
    this.next = undefined;
    throw new Error(`the pin failed ${moment} the driver did it`);
  }
}

/** A third party's P_PTABLE around the machine, which fails on request. */
export function failingPageTable(failures: Failures): Plugin {
  @injectable()
  class FailingPageTable extends PageTable {
    constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine, @inject(BUS) bus: Bus) {
      super(machine, bus);
    }

    override async checkpoint(plan: EpochPlan): Promise<Checkpointed> {
      failures.reach('before');
      const checkpointed = await super.checkpoint(plan);
      failures.reach('after');
      return checkpointed;
    }

    override async rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
      failures.reach('before');
      return super.rollback(to, plan);
    }
  }

  return definePlugin({
    name: 'rmk-plugin-failing-ptable',
    version: '1.0.0',
    rmk: '^0.1.0',
    requires: [VIRTUAL_MACHINE],
    provides: [provide(P_PTABLE, FailingPageTable), provide(CHECKPOINTING, FailingPageTable)],
  })();
}
