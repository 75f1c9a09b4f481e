import type { Checkpointed, Plugin } from '@rmk/core';
import {
  interposedPageTable,
  type Interposition,
  type Moment,
  type Operation,
} from '../../packages/checkpoint/test/interposedPageTable.js';

/** Keeps the handles of checkpoints, and lets operations of P_PTABLE fail. */
export class FailingOperations implements Interposition {
  /** What each checkpoint gave, oldest first. */
  readonly kept: Checkpointed[] = [];
  private readonly failures: { operation: Operation; moment: Moment; times: number }[] = [];

  /** The next operations of this kind throw, before or after the driver has done them. */
  fail(operation: Operation, moment: Moment, times = 1): void {
    this.failures.push({ operation, moment, times });
  }

  taken(checkpointed: Checkpointed): void {
    this.kept.push(checkpointed);
  }

  reach(moment: Moment, operation: Operation): void {
    const failure = this.failures.find(
      (one) => one.operation === operation && one.moment === moment && one.times > 0,
    );
    if (failure === undefined) return;
    failure.times -= 1;
    throw new Error(`${operation} fails ${moment} the driver does it`);
  }
}

/** The plugins with another P_PTABLE in the place of RMK's own. */
export function interposed(plugins: readonly Plugin[], by: Interposition): readonly Plugin[] {
  return plugins.map((plugin) =>
    plugin.definition.name === '@rmk/pin-ptable' ? interposedPageTable(by) : plugin,
  );
}
