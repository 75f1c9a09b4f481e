import {
  CHECKPOINTING,
  definePlugin,
  P_VCPU,
  type Checkpoint,
  type CheckpointAlgorithm,
  type Module,
} from '@rmk/core';
import { goldenRun } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { Algorithm, eventsMs, guest, MS, retainedAt, rollBack, start, takenMs } from './protectedGuest.js';

describe('taking checkpoints', () => {
  class Rival implements Module {
    start(): void {}
  }
  const rival = definePlugin({
    name: 'rmk-plugin-rival',
    version: '1.0.0',
    rmk: '*',
    requires: [CHECKPOINTING],
    modules: [Rival],
  });

  it('is for the agent alone: neither a second plugin nor the host gets CHECKPOINTING', async () => {
    const { rig } = await start();
    const { domain } = rig;
    await expect(domain.install(rival())).rejects.toMatchObject({
      code: 'RMK_ERR_EXCLUSIVE',
      plugin: 'rmk-plugin-rival',
    });
    expect(() => domain.get(CHECKPOINTING)).toThrow(
      'RMK_ERR_EXCLUSIVE: domain.get: CHECKPOINTING is a right that @rmk/checkpoint holds',
    );
    expect(domain.plugins.map(({ name }) => name)).not.toContain('rmk-plugin-rival');
  });
});

describe('the interval', () => {
  it('is kept from the first checkpoint on, which is taken before the guest executes anything', async () => {
    const { rig, checkpoints } = await start();
    await rig.advance('23ms');
    const taken = rig.events('EVT_CHECKPOINTED');
    expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 10, 15, 20]);
    expect(taken.map(({ checkpoint: { origin } }) => origin)).toEqual([
      'first',
      'interval',
      'interval',
      'interval',
      'interval',
    ]);
    expect(taken.map(({ closed }) => closed?.openedAtNs)).toEqual([undefined, 0, 5 * MS, 10 * MS, 15 * MS]);
    expect(taken.map((event) => 'closed' in event)).toEqual([false, true, true, true, true]);
    expect(taken.map(({ algorithm }) => algorithm)).toEqual(Array<string>(5).fill('@rmk/cowb'));
    expect(checkpoints.intervalNs).toBe(5 * MS);
  });

  it('restarts the interval with a checkpoint on request and with a rollback', async () => {
    const domain = await start({ agent: { retain: 3 } });
    const { rig, checkpoints } = domain;
    await rig.advance('7ms');
    expect(await checkpoints.take()).toMatchObject({ takenAtNs: 7 * MS, origin: 'request' });
    await rig.advance('7ms');
    await rollBack(domain, 0);
    await rig.advance('11ms');
    expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 7, 12, 19, 24]);
    expect(rig.events('EVT_ROLLEDBACK').map(({ atNs }) => atNs / MS)).toEqual([14]);
    expect(rig.events('EVT_CHECKPOINTED').map(({ checkpoint: { origin } }) => origin)).toEqual([
      'first',
      'interval',
      'request',
      'interval',
      'interval',
      'interval',
    ]);
  });

  it.each(['0ms', '-5ms', '5', 'soon', '', '5 ms', 5, null, {}])('cannot be %j', async (interval) => {
    await expect(start({ agent: { interval: interval as '5ms' } })).rejects.toMatchObject({
      code: 'RMK_ERR_OPTIONS',
      plugin: '@rmk/checkpoint',
    });
  });

  it.each([0, 1, -1, 2.5, '3', Infinity])('retain cannot be %j', async (retain) => {
    await expect(start({ agent: { retain: retain as number } })).rejects.toMatchObject({
      code: 'RMK_ERR_OPTIONS',
    });
  });
});

describe('checkpoints and rollbacks that are asked for at once', () => {
  it('wait for each other, in the order in which they were asked for', async () => {
    const { rig, checkpoints } = await start({ agent: { retain: 4 } });
    await rig.advance('12ms');
    await rig.domain.get(P_VCPU).suspend();
    const target = retainedAt(checkpoints, 1);
    const [one, two, rollback, three, gone] = await Promise.allSettled([
      checkpoints.take(),
      checkpoints.take(),
      checkpoints.rollback(target),
      checkpoints.take(),
      checkpoints.rollback(target),
    ]);
    expect([one, two, rollback, three].map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'));
    // The first rollback has spent its target.
    expect(gone).toMatchObject({ status: 'rejected', reason: { code: 'RMK_ERR_UNPROTECTED' } });
    expect(checkpoints.retained.map(({ origin }) => origin)).toEqual(['request', 'rollback']);
    expect(rig.guestState).toEqual(await goldenRun(guest, 5 * MS));
  });

  it('by handlers of events come to an end before the guest runs on', async () => {
    const { rig, checkpoints } = await start({
      observe: (bus) => {
        bus.on('EVT_CHECKPOINTED', async ({ checkpoint: { origin } }) => {
          if (origin === 'interval') await checkpoints.take();
        });
      },
    });
    await rig.advance('16ms');
    expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 5, 10, 10, 15, 15]);
    expect(rig.guestState).toEqual(await goldenRun(guest, 16 * MS));
  });
});

describe('what is handed to the agent', () => {
  it.each([undefined, null, 'cowb', {}, { name: 'odd' }, { plan: () => ({ preSave: 'none' }) }])(
    'is refused where it is no algorithm but %o, and nothing of it is left',
    async (given) => {
      const { rig, checkpoints } = await start();
      expect(() => checkpoints.use(given as CheckpointAlgorithm)).toThrow(
        'RMK_ERR_INPUT: checkpoints.use: expected an algorithm',
      );
      await rig.advance('12ms');
      expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 10]);
    },
  );
});

describe('what the agent shows', () => {
  it('is the ring, which nobody else can change', async () => {
    const { rig, checkpoints } = await start();
    await rig.advance('7ms');
    expect(() => (checkpoints.retained as Checkpoint[]).pop()).toThrow(TypeError);
    expect(takenMs(checkpoints)).toEqual([5, 0]);
  });
});

describe('a restart of the VM', () => {
  it('discards what is retained, and is followed by a first checkpoint at once', async () => {
    const domain = await start({ agent: { retain: 3 } });
    const { rig, checkpoints } = domain;
    await rig.advance('12ms');
    const old = retainedAt(checkpoints, 0);
    await rig.domain.get(P_VCPU).restart();
    await rig.advance('7ms');
    expect(
      rig.events('EVT_CHECKPOINTED').map(({ atNs, checkpoint: { origin } }) => [atNs / MS, origin]),
    ).toEqual([
      [0, 'first'],
      [5, 'interval'],
      [10, 'interval'],
      [12, 'first'],
      [17, 'interval'],
    ]);
    await expect(checkpoints.rollback(old)).rejects.toMatchObject({ code: 'RMK_ERR_UNPROTECTED' });
    await rollBack(domain, 1);
    expect(rig.guestState).toEqual(await goldenRun(guest, 0));
    expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
    expect(rig.events('EVT_CHECKPOINTLOST')).toMatchObject([
      { atNs: 12 * MS, reason: 'the VM was restarted', checkpoints: 3 },
    ]);
  });

  it('leaves no history of what was before for an algorithm', async () => {
    const { rig, checkpoints } = await start({ algorithms: [], agent: { retain: 3 } });
    const algorithm = new Algorithm('curious');
    checkpoints.use(algorithm);
    await rig.advance('12ms');
    await rig.domain.get(P_VCPU).restart();
    await rig.advance('7ms');
    expect(algorithm.histories).toEqual([0, 0, 1, 0, 0]);
  });
});
