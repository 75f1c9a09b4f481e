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

export type Operation = 'checkpoint' | 'rollback';
export type Moment = 'before' | 'after';

/** What a test does around the operations of a page table: {@link Failures}, {@link Gate}. */
export interface Interposition {
  reach(moment: Moment, operation: Operation): void;
  /** Receives what each checkpoint gave. */
  taken?(checkpointed: Checkpointed): void;
}

/** The pin fails once, before or after the driver did what was asked. */
export class Failures implements Interposition {
  next: Moment | undefined;

  reach(moment: Moment): void {
    if (this.next !== moment) return;
    this.next = undefined;
    throw new Error(`the pin failed ${moment} the driver did it`);
  }
}

/** What happens once, between the driver's operation and the agent's knowing of it. */
export class Gate implements Interposition {
  during: (() => void) | undefined;

  constructor(private readonly operation: Operation = 'checkpoint') {}

  reach(moment: Moment, operation: Operation): void {
    if (moment !== 'after' || operation !== this.operation) return;
    const { during } = this;
    this.during = undefined;
    during?.();
  }
}

/** A third party's P_PTABLE around the machine. */
export function interposedPageTable(by: Interposition): Plugin {
  @injectable()
  class InterposedPageTable extends PageTable {
    constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine, @inject(BUS) bus: Bus) {
      super(machine, bus);
    }

    override async checkpoint(plan: EpochPlan): Promise<Checkpointed> {
      by.reach('before', 'checkpoint');
      const checkpointed = await super.checkpoint(plan);
      by.taken?.(checkpointed);
      by.reach('after', 'checkpoint');
      return checkpointed;
    }

    override async rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
      by.reach('before', 'rollback');
      const rolledBack = await super.rollback(to, plan);
      by.reach('after', 'rollback');
      return rolledBack;
    }
  }

  return definePlugin({
    name: 'rmk-plugin-interposed-ptable',
    version: '1.0.0',
    rmk: '^0.2.0',
    requires: [VIRTUAL_MACHINE],
    provides: [provide(P_PTABLE, InterposedPageTable), provide(CHECKPOINTING, InterposedPageTable)],
  })();
}
