import { PAGE_BYTES, RmkError, type Checkpointed } from '@rmk/core';
import * as fc from 'fast-check';
import { WINDOW_PAGES } from './hypervisorSubject.js';
import type { VmUnderTest } from './vmUnderTest.js';

type Step =
  | { readonly do: 'write'; readonly at: number; readonly bytes: number }
  | { readonly do: 'checkpoint'; readonly plan: WindowPlan }
  | { readonly do: 'rollback'; readonly back: number; readonly plan: WindowPlan };

/** Pages of the window in place of page frames. */
interface WindowPlan {
  readonly preSave: 'none' | 'updated';
  readonly add: readonly number[];
  readonly drop: readonly number[];
  readonly clusterPages: number;
}

const pages = fc.array(fc.nat(WINDOW_PAGES - 1), { maxLength: 3 });
const plan: fc.Arbitrary<WindowPlan> = fc.record({
  preSave: fc.constantFrom('none', 'updated'),
  add: pages,
  drop: pages,
  clusterPages: fc.constantFrom(1, 2, 8),
});
/** Writes, checkpoints and rollbacks in any order. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('write' as const),
        at: fc.nat(WINDOW_PAGES * PAGE_BYTES - 1),
        bytes: fc.oneof(fc.nat(16), fc.nat(2 * PAGE_BYTES)),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('checkpoint' as const), plan }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('rollback' as const),
        back: fc.integer({ min: 1, max: 4 }),
        plan,
      }),
    },
  ),
  { minLength: 5, maxLength: 30 },
);

/** Keeps a copy of the window at each checkpoint, and compares. Starts with no protection, and leaves none. */
export async function compareWithCopies(vm: VmUnderTest, all: readonly Step[]): Promise<void> {
  let kept: readonly { readonly checkpoint: Checkpointed; readonly copy: Uint8Array }[] = [];
  let writes = 0;
  const onFrames = ({ add, drop, ...rest }: WindowPlan) => ({
    ...rest,
    add: Uint32Array.from(add, (page) => vm.frame(page)),
    drop: Uint32Array.from(drop, (page) => vm.frame(page)),
  });
  for (const step of all) {
    if (step.do === 'write') {
      const bytes = Math.min(step.bytes, WINDOW_PAGES * PAGE_BYTES - step.at);
      await vm.machine.write(vm.addressOf(0) + step.at, new Uint8Array(bytes).fill(++writes));
    } else if (step.do === 'checkpoint') {
      const checkpoint = await vm.checkpoint(onFrames(step.plan));
      kept = [{ checkpoint, copy: await vm.window() }, ...kept];
    } else {
      const undone = kept.slice(0, step.back);
      const target = undone.at(-1);
      if (target === undefined) continue;
      const path = undone.map(({ checkpoint }) => checkpoint);
      const checkpoint = await vm.rollback(path, onFrames(step.plan));
      if (Buffer.compare(await vm.window(), target.copy) !== 0) {
        throw new RmkError(
          'RMK_ERR_STATE',
          `after a rollback over ${undone.length} epochs the window differs`,
        );
      }
      for (const { log, context } of path) {
        log.release();
        context.release();
      }
      kept = [{ checkpoint, copy: target.copy }, ...kept.slice(undone.length)];
    }
  }
  for (const { checkpoint } of kept) {
    checkpoint.log.release();
    checkpoint.context.release();
  }
}
