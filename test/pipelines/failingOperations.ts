import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTING,
  definePlugin,
  OPTIONS,
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
import { z } from 'zod';

type Operation = 'checkpoint' | 'rollback';
type Moment = 'before' | 'after';

/** What a test does to a P_PTABLE from outside: it keeps the handles of checkpoints, and lets operations fail. */
export class Interposition {
  /** What each checkpoint gave, oldest first. */
  readonly kept: Checkpointed[] = [];
  private readonly failures: { operation: Operation; moment: Moment; times: number }[] = [];

  /** The next operations of this kind throw, before or after the driver has done them. */
  fail(operation: Operation, moment: Moment, times = 1): void {
    this.failures.push({ operation, moment, times });
  }

  reach(operation: Operation, moment: Moment): void {
    const failure = this.failures.find(
      (one) => one.operation === operation && one.moment === moment && one.times > 0,
    );
    if (failure === undefined) return;
    failure.times -= 1;
    throw new Error(`${operation} fails ${moment} the driver does it`);
  }
}

/** A third party's P_PTABLE, around the same port as RMK's own. */
@injectable()
class InterposedPageTable extends PageTable {
  constructor(
    @inject(VIRTUAL_MACHINE) machine: VirtualMachine,
    @inject(BUS) bus: Bus,
    @inject(OPTIONS) private readonly interposition: Interposition,
  ) {
    super(machine, bus);
  }

  override async checkpoint(plan: EpochPlan): Promise<Checkpointed> {
    this.interposition.reach('checkpoint', 'before');
    const done = await super.checkpoint(plan);
    this.interposition.kept.push(done);
    this.interposition.reach('checkpoint', 'after');
    return done;
  }

  override async rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
    this.interposition.reach('rollback', 'before');
    const done = await super.rollback(to, plan);
    this.interposition.reach('rollback', 'after');
    return done;
  }
}

const interposedPtable = definePlugin({
  name: 'rmk-plugin-interposed-ptable',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE],
  provides: [provide(P_PTABLE, InterposedPageTable), provide(CHECKPOINTING, InterposedPageTable)],
  options: z.instanceof(Interposition),
});

/** The plugins with another P_PTABLE in the place of RMK's own. */
export function interposed(plugins: readonly Plugin[], by: Interposition): readonly Plugin[] {
  return plugins.map((plugin) =>
    plugin.definition.name === '@rmk/pin-ptable' ? interposedPtable(by) : plugin,
  );
}
