import 'reflect-metadata';
import {
  CHECKPOINTS,
  definePlugin,
  type CheckpointAlgorithm,
  type Checkpoints,
  type EpochPlan,
  type Module,
  type Plugin,
} from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { goldenRun } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { eventsMs, guest, MS, rollBack, start, takenMs } from './protectedGuest.js';

describe('an algorithm whose plan is async', () => {
  it('is reported each time, costs no checkpoint, and its rejection does not end the process', async () => {
    const { rig, checkpoints } = await start({ algorithms: [], faults: 'expected' });
    const plan = async (): Promise<EpochPlan> => {
      throw new Error('nobody awaits this');
    };
    checkpoints.use({ name: 'async', plan } as unknown as CheckpointAlgorithm);
    await rig.advance('7ms');
    expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5]);
    expect(rig.events('EVT_PLUGINFAULT').map(({ error }) => String(error))).toEqual(
      Array(2).fill(
        'RmkError: RMK_ERR_INPUT: async: plan() returned a promise. The plan is needed at once: make plan() a function that is not async.',
      ),
    );
  });
});

describe('a plugin whose algorithm fails', () => {
  /** Its algorithm fails as long as `isBroken` says so, and has the name of somebody else. */
  function contributing(isBroken: () => boolean, plan: () => EpochPlan): Plugin {
    @injectable()
    class Contributor implements Module, CheckpointAlgorithm {
      readonly name = '@rmk/recovery';

      constructor(@inject(CHECKPOINTS) private readonly checkpoints: Checkpoints) {}

      start(): void {
        this.checkpoints.use(this);
      }

      plan(): EpochPlan {
        return isBroken() ? plan() : { preSave: 'none' };
      }
    }
    return definePlugin({
      name: 'rmk-plugin-contributor',
      version: '1.0.0',
      rmk: '*',
      requires: [CHECKPOINTS],
      modules: [Contributor],
    })();
  }

  const PLANS: readonly (readonly [string, () => EpochPlan])[] = [
    [
      'throws',
      () => {
        throw new Error('no plan');
      },
    ],
    ['is none', () => ({}) as EpochPlan],
    ['is refused by the driver', () => ({ preSave: 'none', clusterPages: 3 })],
  ];

  it.each(PLANS)('answers for it itself, not by its name and not the agent: its plan %s', async (_, plan) => {
    let isBroken = true;
    const { rig } = await start({
      algorithms: [contributing(() => isBroken, plan)],
      faults: 'expected',
      supervision: { restartAfter: '10ms' },
    });
    await rig.advance('36ms');
    // A fault for each of the checkpoints at 0, 5, …, 35 ms.
    expect(
      rig.events('EVT_PLUGINFAULT').map(({ plugin, during, faults }) => `${plugin} ${during} ${faults}`),
    ).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((count) => `rmk-plugin-contributor plan ${count}`));
    expect(rig.events('EVT_PLUGINQUARANTINED')).toMatchObject([
      { plugin: 'rmk-plugin-contributor', atNs: 35 * MS, faults: 8 },
    ]);
    expect(rig.domain.plugins.find(({ name }) => name === '@rmk/checkpoint')).toMatchObject({
      state: 'active',
      faults: 0,
    });
    expect(rig.events('EVT_PROTECTIONLOST')).toHaveLength(1);
    isBroken = false;
    await rig.advance('20ms');
    expect(rig.events('EVT_PROTECTIONRESTORED').map(({ atNs }) => atNs / MS)).toEqual([45]);
  });

  it('gives way to another one when it is quarantined, and the ring is kept', async () => {
    let isBroken = false;
    const { rig, checkpoints } = await start({
      agent: { retain: 3 },
      algorithms: [
        cowb(),
        contributing(
          () => isBroken,
          () => ({}) as EpochPlan,
        ),
      ],
      faults: 'expected',
      supervision: { quarantineAfterFaults: 1 },
    });
    await rig.advance('7ms');
    isBroken = true;
    await rig.advance('10ms');
    expect(rig.events('EVT_CHECKPOINTED').map(({ algorithm }) => algorithm)).toEqual([
      '@rmk/recovery',
      '@rmk/recovery',
      '@rmk/recovery',
      '@rmk/cowb',
    ]);
    expect(takenMs(checkpoints)).toEqual([15, 10, 5]);
    expect(rig.events('EVT_PLUGINQUARANTINED')).toMatchObject([{ atNs: 10 * MS }]);
    expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
  });

  it('that is quarantined for it in a rollback does not fail the rollback', async () => {
    let isBroken = false;
    const domain = await start({
      algorithms: [
        contributing(
          () => isBroken,
          () => ({}) as EpochPlan,
        ),
      ],
      faults: 'expected',
      supervision: { quarantineAfterFaults: 1 },
    });
    const { rig, checkpoints } = domain;
    await rig.advance('12ms');
    isBroken = true;
    const { undoneNs } = await rollBack(domain, 1);
    expect(undoneNs).toBe(7 * MS);
    expect(rig.guestState).toEqual(await goldenRun(guest, 5 * MS));
    expect(rig.events('EVT_ROLLEDBACK')).toHaveLength(1);
    expect(checkpoints.retained).toEqual([]);
    expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([{ atNs: 12 * MS }]);
  });
});
