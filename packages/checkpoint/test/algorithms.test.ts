import type { CheckpointAlgorithm, RmkEvent } from '@rmk/core';
import { cowp } from '@rmk/cowp';
import { goldenRun } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { Algorithm, eventsMs, guest, MS, rollBack, start, takenMs } from './protectedGuest.js';

describe('checkpoint algorithms', () => {
  it('rule from the next checkpoint on, the latest first, and give way when they are disposed of', async () => {
    const { rig, checkpoints } = await start({ algorithms: [] });
    const first = new Algorithm('first');
    const second = new Algorithm('second', { preSave: 'updated' });
    const useFirst = checkpoints.use(first);
    await rig.advance('7ms');
    const useSecond = checkpoints.use(second);
    await rig.advance('10ms');
    useSecond[Symbol.dispose]();
    useSecond[Symbol.dispose]();
    await rig.advance('5ms');
    expect(rig.events('EVT_CHECKPOINTED').map(({ algorithm }) => algorithm)).toEqual([
      'first',
      'first',
      'second',
      'second',
      'first',
    ]);
    expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
    useFirst[Symbol.dispose]();
  });

  it('are asked with the reports of the epochs that the ring holds, none after a rollback', async () => {
    const domain = await start({ algorithms: [], agent: { retain: 3 } });
    const algorithm = new Algorithm('curious');
    domain.checkpoints.use(algorithm);
    await domain.rig.advance('26ms');
    await rollBack(domain, 0);
    await domain.rig.advance('6ms');
    expect(algorithm.histories).toEqual([0, 0, 1, 2, 3, 3, 0, 0]);
  });

  it('can be swapped under a running guest without a gap: COWP knows at once what COWB saw written', async () => {
    const { rig } = await start();
    await rig.advance('12ms');
    await rig.domain.install(cowp());
    await rig.domain.remove('@rmk/cowb');
    await rig.advance('15ms');
    const taken = rig.events('EVT_CHECKPOINTED');
    expect(taken.map(({ algorithm }) => algorithm)).toEqual([
      ...Array<string>(3).fill('@rmk/cowb'),
      ...Array<string>(3).fill('@rmk/cowp'),
    ]);
    const [, , , third, fourth] = taken;
    expect(fourth?.closed?.pagesPreSaved).toBe(third?.closed?.updated.length);
    expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
    expect(rig.events('EVT_CHECKPOINTLOST')).toEqual([]);
  });

  it('are needed: with none nothing is taken, and a request is refused', async () => {
    const { rig, checkpoints } = await start({ algorithms: [] });
    await rig.advance('12ms');
    await expect(checkpoints.take()).rejects.toMatchObject({ code: 'RMK_ERR_UNPROTECTED' });
    expect(rig.events('EVT_CHECKPOINTED')).toEqual([]);
    // Nothing was protected, so nothing was lost.
    expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
    expect(rig.machine.pendingTimers).toBe(0);
  });

  it('leave the VM unprotected when the last one goes, until there is another', async () => {
    const { rig, checkpoints } = await start();
    await rig.advance('12ms');
    await rig.domain.remove('@rmk/cowb');
    expect(checkpoints.retained).toEqual([]);
    expect(rig.events('EVT_CHECKPOINTLOST')).toMatchObject([{ atNs: 12 * MS, checkpoints: 2 }]);
    await rig.advance('20ms');
    await rig.domain.install(cowp());
    await rig.advance('8ms');
    expect(eventsMs(rig, 'EVT_PROTECTIONLOST')).toEqual([12]);
    expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([{ atNs: 32 * MS, lostForNs: 20 * MS }]);
    expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 10, 32, 37]);
    expect(rig.events('EVT_CHECKPOINTED')[3]?.checkpoint.origin).toBe('first');
  });

  describe('whose plan throws', () => {
    const faultOf = ({ plugin, during, error, source }: RmkEvent<'EVT_PLUGINFAULT'>) => ({
      plugin,
      during,
      error,
      source,
    });

    it('give way to the one before, and the ring is kept', async () => {
      const { rig, checkpoints } = await start({ algorithms: [], agent: { retain: 3 }, faults: 'expected' });
      const steady = new Algorithm('steady');
      const faulty = new Algorithm('faulty');
      checkpoints.use(steady);
      const use = checkpoints.use(faulty);
      await rig.advance('7ms');
      faulty.failing = true;
      await rig.advance('10ms');
      expect(rig.events('EVT_CHECKPOINTED').map(({ algorithm }) => algorithm)).toEqual([
        'faulty',
        'faulty',
        'steady',
        'steady',
      ]);
      expect(rig.events('EVT_PLUGINFAULT').map(faultOf)).toEqual([
        { plugin: 'host', during: 'plan', error: new Error('faulty fails'), source: 'kernel' },
      ]);
      expect(takenMs(checkpoints)).toEqual([15, 10, 5]);
      expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
      use[Symbol.dispose]();
      expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
    });

    it('cost the protection where there is no other, until one succeeds again', async () => {
      const { rig, checkpoints } = await start({ algorithms: [], faults: 'expected' });
      const faulty = new Algorithm('faulty');
      checkpoints.use(faulty);
      await rig.advance('7ms');
      faulty.failing = true;
      await rig.advance('10ms');
      expect(checkpoints.retained).toEqual([]);
      await expect(checkpoints.take()).rejects.toMatchObject({ code: 'RMK_ERR_UNPROTECTED' });
      faulty.failing = false;
      await rig.advance('10ms');
      expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 22]);
      expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([
        { atNs: 10 * MS, reason: 'the checkpoint algorithm failed' },
      ]);
      expect(rig.events('EVT_CHECKPOINTLOST')).toMatchObject([
        { atNs: 10 * MS, checkpoints: 2, endsProtection: true },
      ]);
      expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([{ atNs: 22 * MS, lostForNs: 12 * MS }]);
      expect(rig.events('EVT_PLUGINFAULT')).toMatchObject([
        { plugin: 'host', during: 'plan', faults: 1 },
        { plugin: 'host', during: 'plan', faults: 2 },
        { plugin: 'host', during: 'plan', faults: 3 },
      ]);
      expect(rig.guestState).toEqual(await goldenRun(guest, 27 * MS));
    });

    it('do not stand in the way of a rollback', async () => {
      const domain = await start({ algorithms: [], faults: 'expected' });
      const { rig, checkpoints } = domain;
      const faulty = new Algorithm('faulty');
      checkpoints.use(faulty);
      await rig.advance('12ms');
      faulty.failing = true;
      await rollBack(domain, 1);
      expect(rig.guestState).toEqual(await goldenRun(guest, 5 * MS));
      expect(rig.events('EVT_ROLLEDBACK')).toHaveLength(1);
      expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
      await rig.advance('6ms');
      expect(eventsMs(rig, 'EVT_PROTECTIONLOST')).toEqual([17]);
      expect(checkpoints.retained).toEqual([]);
    });
  });

  describe('whose plan the driver refuses', () => {
    const refused: CheckpointAlgorithm = {
      name: 'refused',
      plan: () => ({ preSave: 'none', clusterPages: 3 }),
    };

    it('are reported, and do not stand in the way of a checkpoint or a rollback', async () => {
      const domain = await start({ algorithms: [], faults: 'expected' });
      const { rig, checkpoints } = domain;
      checkpoints.use(refused);
      await rig.advance('12ms');
      expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 10]);
      await rollBack(domain, 1);
      expect(rig.guestState).toEqual(await goldenRun(guest, 5 * MS));
      expect(rig.events('EVT_PLUGINFAULT').map(({ plugin, faults }) => [plugin, faults])).toEqual([
        ['host', 1],
        ['host', 2],
        ['host', 3],
        ['host', 4],
      ]);
      expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
    });

    it.each([
      ['nothing', undefined, 'plan():'],
      ['null', null, 'plan():'],
      ['a promise', Promise.resolve({ preSave: 'none' }), 'plan() returned a promise'],
      ['frames as a text', { preSave: 'none', add: 'abc' }, 'plan().add:'],
      ['frames that are no such array', { preSave: 'none', drop: [1, 2] }, 'plan().drop:'],
      ['a cluster as a text', { preSave: 'none', clusterPages: '8' }, 'plan().clusterPages:'],
      [
        'something that cannot be read',
        {
          get preSave(): never {
            throw new Error('unreadable');
          },
        },
        'unreadable',
      ],
    ])('are the ones to blame where that is %s: no checkpoint is lost', async (_, given, what) => {
      const { rig, checkpoints } = await start({ algorithms: [], faults: 'expected' });
      const odd = { name: 'odd', plan: () => given } as unknown as CheckpointAlgorithm;
      checkpoints.use(odd);
      await rig.advance('50ms');
      expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45]);
      expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
      const faults = rig.events('EVT_PLUGINFAULT');
      expect(faults.map(({ plugin, during }) => `${plugin} ${during}`)).toEqual(Array(10).fill('host plan'));
      expect(String(faults[0]?.error)).toContain(what);
      expect(rig.domain.plugins.map(({ faults: counted }) => counted)).toEqual([0, 0, 0, 0]);
    });

    it('give way to the one before', async () => {
      const { rig, checkpoints } = await start({ faults: 'expected' });
      await rig.advance('7ms');
      checkpoints.use(refused);
      await rig.advance('10ms');
      expect(rig.events('EVT_CHECKPOINTED').map(({ algorithm }) => algorithm)).toEqual([
        '@rmk/cowb',
        '@rmk/cowb',
        'refused',
        '@rmk/cowb',
      ]);
    });
  });
});

describe('an algorithm that is installed twice', () => {
  it('stays installed when one of the two is disposed of', async () => {
    const { rig, checkpoints } = await start({ algorithms: [] });
    const algorithm = new Algorithm('twice');
    const first = checkpoints.use(algorithm);
    const second = checkpoints.use(algorithm);
    await rig.advance('7ms');
    first[Symbol.dispose]();
    await rig.advance('5ms');
    expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 10]);
    expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
    second[Symbol.dispose]();
    expect(eventsMs(rig, 'EVT_PROTECTIONLOST')).toEqual([12]);
  });
});

describe('a second algorithm', () => {
  it('takes no checkpoint of its own accord: it decides from the next interval on', async () => {
    const { rig, checkpoints } = await start();
    await rig.advance('7ms');
    checkpoints.use(new Algorithm('second'));
    await rig.advance('4ms');
    expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 10]);
  });
});
