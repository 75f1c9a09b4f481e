import type { Facts } from '@rmk/core';
import { describe, expect, it } from 'vitest';
import { UPDATED_AHEAD, type Stage, type VmUnderTest } from './vmUnderTest.js';

const NOT_DETERMINISTIC = "the driver does not have the capability 'deterministic'";
const PIECES = 4;

/** For drivers that declare `'deterministic'`: a run can be repeated, and what RMK does to it leaves no trace. */
export function replayContract(stage: Stage): void {
  describe('a deterministic VM', () => {
    it('does and reports the same in each run', async ({ skip }) => {
      const { isDeterministic } = await stage.vm();
      skip(!isDeterministic, NOT_DETERMINISTIC);
      const [one, other] = [await stage.ownVm(), await stage.ownVm()];
      const [facts, factsAgain] = [factsOf(one), factsOf(other)];
      const spanNs = PIECES * one.guest.busyNs;
      await one.runFor(spanNs);
      for (let piece = 0; piece < PIECES; piece++) await other.runFor(one.guest.busyNs);
      await other.expectState(await one.state());
      expect(factsAgain).toEqual(facts);
      await one.subject.close();
      await other.subject.close();
    });

    it('shows its guest nothing of checkpoints and rollbacks', async ({ skip }) => {
      const { isDeterministic } = await stage.vm();
      skip(!isDeterministic, NOT_DETERMINISTIC);
      const [undisturbed, disturbed] = [await stage.ownVm(), await stage.ownVm()];
      const { busyNs } = undisturbed.guest;
      await undisturbed.runFor(3 * busyNs);
      const older = await disturbed.checkpoint();
      await disturbed.runFor(busyNs);
      const newer = await disturbed.checkpoint(UPDATED_AHEAD);
      await disturbed.runFor(busyNs);
      await disturbed.machine.suspend();
      const { undoneNs } = await disturbed.rollback([newer], UPDATED_AHEAD);
      expect(undoneNs).toBe(busyNs);
      await disturbed.machine.resume();
      await disturbed.runFor(2 * busyNs);
      expect(disturbed.nowNs, 'domain time is longer by the work lost').toBe(undisturbed.nowNs + undoneNs);
      await disturbed.expectState(await undisturbed.state());
      older.log.release();
      await undisturbed.subject.close();
      await disturbed.subject.close();
    });
  });
}

/** Facts contain no host times, so two runs must report equal ones. */
function factsOf(vm: VmUnderTest): readonly unknown[] {
  const facts: unknown[] = [];
  for (const fact of ['signal', 'scheduled', 'output', 'exited'] satisfies (keyof Facts)[]) {
    vm.observe(fact, (what) => void facts.push([fact, what]));
  }
  return facts;
}
