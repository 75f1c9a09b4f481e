import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTS,
  CLOCK,
  definePlugin,
  P_VCPU,
  provide,
  RmkError,
  VIRTUAL_MACHINE,
  type Bus,
  type Checkpoint,
  type Checkpoints,
  type Clock,
  type Nanoseconds,
  type Plugin,
  type Rollback,
  type Suspension,
  type VirtualMachine,
} from '@rmk/core';
import { Vcpu } from '@rmk/pin-vcpu';
import { FakeMachine, startFakeRig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { expect, it } from 'vitest';
import { recovery } from '../src/index.js';

const MS = 1e6;
const LATENCY_NS = 20 * MS;
const slow = { version: '1.0.0', rmk: '*' };

/** A VM that runs on for a while before it is suspended, as one does whose driver cannot hold it. */
function slowVcpu(machine: FakeMachine): Plugin {
  @injectable()
  class SlowVcpu extends Vcpu {
    constructor(@inject(VIRTUAL_MACHINE) vm: VirtualMachine, @inject(BUS) bus: Bus) {
      super(vm, bus);
    }

    override async suspend(): Promise<Suspension> {
      machine.clock.nowNs += LATENCY_NS;
      return super.suspend();
    }
  }
  return definePlugin({
    name: 'slow-vcpu',
    ...slow,
    requires: [VIRTUAL_MACHINE],
    provides: [provide(P_VCPU, SlowVcpu)],
  })();
}

/** Checkpoints of 100 ms and 200 ms of guest time. */
@injectable()
class Agent implements Checkpoints {
  readonly retain = 2;
  readonly intervalNs = 100 * MS;
  readonly retained: readonly Checkpoint[] = [200, 100].map((ms) => ({
    takenAtNs: ms * MS,
    origin: 'interval',
  }));
  private undoneNs: Nanoseconds = 0;

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}

  use(): Disposable {
    return { [Symbol.dispose]: () => {} };
  }

  take(): Promise<never> {
    return Promise.reject(new RmkError('RMK_ERR_UNPROTECTED', 'it takes none'));
  }

  async rollback(to: Checkpoint): Promise<Rollback> {
    const atNs = this.clock.now();
    const undoneNs = atNs - this.undoneNs - to.takenAtNs;
    this.undoneNs += undoneNs;
    const rollback = { pagesRestored: 1, undoneNs, outputStruckBytes: 0, reopened: to };
    this.bus.topic('EVT_ROLLEDBACK').publish({ atNs, to, rollback });
    return rollback;
  }
}

const agent = definePlugin({ name: 'slow-agent', ...slow, provides: [provide(CHECKPOINTS, Agent)] });

it('recognises a hang of the state that it left, however long the suspension took', async () => {
  const machine = new FakeMachine();
  const rig = await startFakeRig({ machine, plugins: [slowVcpu(machine), agent(), recovery()] });
  const hang = (suspectSinceNs: Nanoseconds) => {
    const detected = { atNs: rig.nowNs, kind: 'hang', cause: 'no progress', suspectSinceNs };
    rig.domain.bus.topic('EVT_ERRORDETECTED').publish(detected);
  };
  await rig.advance('300ms');
  hang(210 * MS);
  await rig.advance('1ms');
  const resumedAtNs = 300 * MS + LATENCY_NS;
  // Not a sign of health since, and noticed later than the first time.
  await rig.advance('140ms');
  hang(resumedAtNs);
  await rig.advance('1ms');
  expect(rig.events('EVT_RECOVERED').map(({ record: { rung, occurrence } }) => [rung, occurrence])).toEqual([
    ['target', 1],
    ['older', 2],
  ]);
});
