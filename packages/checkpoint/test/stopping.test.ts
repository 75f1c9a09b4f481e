import 'reflect-metadata';
import { setImmediate } from 'node:timers/promises';
import {
  BUS,
  CHECKPOINTING,
  CHECKPOINTS,
  definePlugin,
  P_PTABLE,
  provide,
  VIRTUAL_MACHINE,
  type Bus,
  type Checkpointed,
  type EpochPlan,
  type VirtualMachine,
} from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { PageTable } from '@rmk/pin-ptable';
import { startFakeRig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { expect, it } from 'vitest';
import { checkpoint } from '../src/plugin.js';

/** P_PTABLE of a driver whose checkpoints take until the test lets them end. */
function slowPageTable() {
  const taken: Checkpointed[] = [];
  let pending: Promise<void> | undefined;
  let end: () => void = () => {};

  @injectable()
  class SlowPageTable extends PageTable {
    constructor(@inject(VIRTUAL_MACHINE) machine: VirtualMachine, @inject(BUS) bus: Bus) {
      super(machine, bus);
    }

    override async checkpoint(plan: EpochPlan): Promise<Checkpointed> {
      const checkpointed = await super.checkpoint(plan);
      taken.push(checkpointed);
      await pending;
      return checkpointed;
    }
  }
  return {
    taken,
    hold(): () => void {
      pending = new Promise((resolve) => (end = resolve));
      return end;
    },
    plugin: definePlugin({
      name: 'rmk-plugin-slow-ptable',
      version: '1.0.0',
      rmk: '*',
      requires: [VIRTUAL_MACHINE],
      provides: [provide(P_PTABLE, SlowPageTable), provide(CHECKPOINTING, SlowPageTable)],
    })(),
  };
}

it('an agent that stops waits for the checkpoint under way, and gives all of them back to the driver', async () => {
  const slow = slowPageTable();
  const rig = await startFakeRig({
    plugins: [slow.plugin, checkpoint({ interval: '10ms', retain: 4 }), cowb()],
  });
  await rig.advance('5ms');
  const end = slow.hold();
  const taking = rig.domain.get(CHECKPOINTS).take();
  while (slow.taken.length < 2) await setImmediate();
  let isRemoved = false;
  const remove = async (): Promise<void> => {
    await rig.domain.remove('@rmk/checkpoint', { dependants: 'remove' });
    isRemoved = true;
  };
  const removed = remove();
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  expect(isRemoved).toBe(false);
  end();
  await Promise.allSettled([taking, removed]);
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  const logs = await Promise.allSettled(slow.taken.map(({ log }) => log.frames()));
  expect(logs).toMatchObject([1, 2].map(() => ({ reason: { code: 'RMK_ERR_RELEASED' } })));
});
