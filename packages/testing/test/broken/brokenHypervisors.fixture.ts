import {
  nanoseconds,
  PAGE_BYTES,
  type Checkpointed,
  type EpochPlan,
  type RollbackTarget,
  type RolledBack,
} from '@rmk/core';
import { describeHypervisor, type HypervisorSubject } from '../../src/conformance/index.js';
import { FakeMachine, type FakeMachineOptions } from '../../src/index.js';

/** Brings back all pages but the one that was written first. */
class ForgetsPage extends FakeMachine {
  override async rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
    const [first] = await (to.logs[0]?.frames() ?? []);
    const content = first === undefined ? undefined : await this.read(first * PAGE_BYTES, PAGE_BYTES);
    const done = await super.rollback(to, plan);
    if (first !== undefined && content !== undefined) await this.write(first * PAGE_BYTES, content);
    return done;
  }
}

/** Turns domain time back together with the guest. */
class TurnsClockBack extends FakeMachine {
  override async rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
    const done = await super.rollback(to, plan);
    this.clock.nowNs -= done.undoneNs;
    return { ...done, atNs: this.clock.nowNs };
  }
}

/** Reports every epoch without the last of the pages that were written. */
class OverlooksPage extends FakeMachine {
  override async checkpoint(plan: EpochPlan): Promise<Checkpointed> {
    const { closed, ...rest } = await super.checkpoint(plan);
    return closed === undefined
      ? rest
      : { ...rest, closed: { ...closed, updated: closed.updated.slice(0, -1) } };
  }
}

function subjectOf(Machine: new (options: FakeMachineOptions) => FakeMachine): () => HypervisorSubject {
  return () => {
    const machine = new Machine({
      schedulingInterval: '1ms',
      guest: [{ at: '1ms', every: '1ms', does: (guest) => guest.store(0, Uint8Array.of(1)) }],
    });
    return {
      machine,
      guest: { register: 'x10', unusedFrames: { first: 32, count: 16 }, busyNs: nanoseconds('3ms') },
      runFor: (byNs) => machine.advance(byNs),
      addressOf: (frame) => frame * PAGE_BYTES,
      close: () => machine.close(),
    };
  };
}

// So many that chance cannot spare it: many a run does not roll back over a page that was written.
describeHypervisor('that forgets a page', subjectOf(ForgetsPage), { propertyRuns: 60 });
describeHypervisor('that turns its clock back', subjectOf(TurnsClockBack), { propertyRuns: 5 });
describeHypervisor('that overlooks a page', subjectOf(OverlooksPage), { propertyRuns: 5 });
