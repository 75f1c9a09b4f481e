import 'reflect-metadata';
import {
  CHECKPOINTING,
  CHECKPOINTS,
  definePlugin,
  P_VCPU,
  type Checkpoint,
  type CheckpointAlgorithm,
  type Checkpoints,
  type EpochPlan,
  type Module,
  type Plugin,
  type RmkEvent,
} from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { cowp } from '@rmk/cowp';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { goldenRun, startRig, type Rig, type RigOptions } from '@rmk/testing';
import * as fc from 'fast-check';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { checkpoint } from '../src/plugin.js';
import { Failures, Gate, interposedPageTable } from './interposedPageTable.js';

const MS = 1e6;
// The heap of this guest grows upwards from its program, so it does with less memory than it may use.
const guest = { guest: 'tasks', machine: { memoryBytes: 2 * 1024 * 1024 } } as const;

type Setting = Partial<Omit<RigOptions, 'guest' | 'machine'>> & {
  readonly agent?: Parameters<typeof checkpoint>[0];
  readonly algorithms?: readonly Plugin[];
  readonly logPages?: number;
};

interface Protected {
  readonly rig: Rig;
  readonly checkpoints: Checkpoints;
}

/** A guest under pins, agent and COWB, with a checkpoint each 5 ms. */
async function start({
  agent,
  algorithms = [cowb()],
  plugins = [],
  logPages,
  ...others
}: Setting = {}): Promise<Protected> {
  const rig = await startRig({
    guest: guest.guest,
    machine: { ...guest.machine, ...(logPages === undefined ? {} : { logPages }) },
    plugins: [
      pinVcpu(),
      ...(plugins.length > 0 ? plugins : [pinPtable()]),
      checkpoint({ interval: '5ms', ...agent }),
      ...algorithms,
    ],
    ...others,
  });
  return { rig, checkpoints: rig.domain.get(CHECKPOINTS) };
}

const takenMs = (checkpoints: Checkpoints): readonly number[] =>
  checkpoints.retained.map(({ takenAtNs }) => takenAtNs / MS);

const eventsMs = (
  rig: Rig,
  name: 'EVT_CHECKPOINTED' | 'EVT_PROTECTIONLOST' | 'EVT_PROTECTIONRESTORED',
): readonly number[] => rig.events(name).map(({ atNs }) => atNs / MS);

function retainedAt({ retained }: Checkpoints, age: number): Checkpoint {
  const found = retained[age];
  if (found === undefined) throw new Error(`no checkpoint of age ${age} is retained`);
  return found;
}

async function rollBack({ rig, checkpoints }: Protected, age: number) {
  const vcpu = rig.domain.get(P_VCPU);
  const suspension = await vcpu.suspend();
  const rollback = await checkpoints.rollback(retainedAt(checkpoints, age));
  await vcpu.resume(suspension);
  return rollback;
}

/** A detector that promises to be no slower than this, and never detects anything. */
function detector(boundNs: number, name = 'rmk-plugin-detector'): Plugin {
  return definePlugin({
    name,
    version: '1.0.0',
    rmk: '^0.2.0',
    detects: () => [{ kind: 'test', boundNs }],
  })();
}

/** An algorithm that fails on request, and counts its calls. */
class Algorithm implements CheckpointAlgorithm {
  failing = false;
  readonly histories: number[] = [];

  constructor(
    readonly name: string,
    private readonly epochPlan: EpochPlan = { preSave: 'none' },
  ) {}

  plan(history: readonly unknown[]): EpochPlan {
    if (this.failing) throw new Error(`${this.name} fails`);
    this.histories.push(history.length);
    return this.epochPlan;
  }
}

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

describe('the ring of checkpoints', () => {
  it('reaches back as far as the slowest detector needs: ceil(T_B / T_ck) + 1, and at least 2', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 60 * MS }), { maxLength: 3 }),
        fc.integer({ min: 1, max: 20 }),
        async (boundsNs, intervalMs) => {
          const { rig, checkpoints } = await start({
            agent: { interval: `${intervalMs}ms` },
            algorithms: [
              cowb(),
              ...boundsNs.map((boundNs, i) => detector(boundNs, `rmk-plugin-detector-${i}`)),
            ],
          });
          const longestNs = Math.max(0, ...boundsNs);
          expect(checkpoints.retain).toBe(Math.max(2, Math.ceil(longestNs / (intervalMs * MS)) + 1));
          await rig.stop();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('fills up to that length and stays there, newest first', async () => {
    const { rig, checkpoints } = await start({ algorithms: [cowb(), detector(12 * MS)] });
    expect(takenMs(checkpoints)).toEqual([]);
    await rig.advance('1ms');
    expect(takenMs(checkpoints)).toEqual([0]);
    await rig.advance('11ms');
    expect(takenMs(checkpoints)).toEqual([10, 5, 0]);
    await rig.advance('30ms');
    expect(takenMs(checkpoints)).toEqual([40, 35, 30, 25]);
  });

  it('has the length that is set, whatever the detectors need, with a warning', async () => {
    const { rig, checkpoints } = await start({
      agent: { retain: 3 },
      algorithms: [cowb(), detector(12 * MS)],
    });
    await rig.advance('42ms');
    expect(takenMs(checkpoints)).toEqual([40, 35, 30]);
    expect(rig.events('EVT_WARNING').map(({ code }) => code)).toEqual(['RMK_WARN_HISTORY']);
  });

  it('leads back to the exact state of each of its checkpoints', async () => {
    for (const age of [0, 1, 2, 3]) {
      const domain = await start({ agent: { retain: 4 }, algorithms: [cowp()] });
      await domain.rig.advance('22.22ms');
      const { takenAtNs } = retainedAt(domain.checkpoints, age);
      const { reopened, undoneNs } = await rollBack(domain, age);
      expect(domain.rig.guestState).toEqual(await goldenRun(guest, takenAtNs));
      expect(undoneNs).toBe(22.22 * MS - takenAtNs);
      expect(reopened).toMatchObject({ origin: 'rollback', takenAtNs: 22.22 * MS });
      expect(domain.checkpoints.retained[0]).toBe(reopened);
      expect(domain.checkpoints.retained).toHaveLength(4 - age);
    }
  });

  it('goes further back after a rollback, and back again, with epochs that are not numbered in a row', async () => {
    const domain = await start({ agent: { retain: 6 }, algorithms: [cowp()] });
    const { rig } = domain;
    await rig.advance('27ms');
    await rollBack(domain, 2);
    await rig.advance('7ms');
    await rollBack(domain, 3);
    expect(rig.guestState).toEqual(await goldenRun(guest, 5 * MS));
    await rig.advance('3ms');
    await rollBack(domain, 0);
    expect(rig.guestState).toEqual(await goldenRun(guest, 5 * MS));
    await rollBack(domain, 1);
    expect(rig.guestState).toEqual(await goldenRun(guest, 0));
  });

  it('gives nothing but retained checkpoints', async () => {
    const { rig, checkpoints } = await start();
    await rig.advance('1ms');
    const first = retainedAt(checkpoints, 0);
    await rig.advance('20ms');
    await rig.domain.get(P_VCPU).suspend();
    await expect(checkpoints.rollback(first)).rejects.toMatchObject({ code: 'RMK_ERR_UNPROTECTED' });
    await expect(checkpoints.rollback({ ...retainedAt(checkpoints, 0) })).rejects.toMatchObject({
      code: 'RMK_ERR_UNPROTECTED',
    });
    expect(takenMs(checkpoints)).toEqual([20, 15]);
  });

  it('is as it was after a rollback that is refused because the VM runs', async () => {
    const { rig, checkpoints } = await start();
    await rig.advance('12ms');
    const before = checkpoints.retained;
    await expect(checkpoints.rollback(retainedAt(checkpoints, 1))).rejects.toMatchObject({
      code: 'RMK_ERR_STATE',
    });
    expect(checkpoints.retained).toEqual(before);
    await rig.advance('5ms');
    expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 10, 15]);
    expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
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

describe('what happens while a checkpoint is under way', () => {
  /** Does something at the moment at which the driver has taken the checkpoint and the agent does not know yet. */
  async function startGated(during: () => void) {
    const gate = new Gate();
    const protectedGuest = await start({
      algorithms: [],
      plugins: [interposedPageTable(gate)],
      agent: { retain: 3 },
    });
    await protectedGuest.rig.advance('0ms');
    gate.during = during;
    return protectedGuest;
  }

  it('the last algorithm goes: protection is lost, and not restored by that checkpoint', async () => {
    let use: Disposable | undefined;
    const { rig, checkpoints } = await startGated(() => use?.[Symbol.dispose]());
    use = checkpoints.use(new Algorithm('leaving'));
    await rig.advance('17ms');
    expect(eventsMs(rig, 'EVT_PROTECTIONLOST')).toEqual([0]);
    expect(rig.events('EVT_PROTECTIONRESTORED')).toEqual([]);
    expect(rig.events('EVT_CHECKPOINTED')).toEqual([]);
    expect(checkpoints.retained).toEqual([]);
    checkpoints.use(new Algorithm('next'));
    await rig.advance('1ms');
    expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([{ atNs: 17 * MS, lostForNs: 17 * MS }]);
  });

  it('the last algorithm is replaced: the new one has its first checkpoint at once, not an interval later', async () => {
    let use: Disposable | undefined;
    const { rig, checkpoints } = await startGated(() => {
      use?.[Symbol.dispose]();
      checkpoints.use(new Algorithm('next'));
    });
    use = checkpoints.use(new Algorithm('leaving'));
    await rig.advance('1ms');
    expect(rig.events('EVT_CHECKPOINTED')).toMatchObject([
      { algorithm: 'next', checkpoint: { origin: 'first' } },
    ]);
  });

  it('the agent stops: it retains nothing, and holds no pages', async () => {
    const stopped: Promise<void>[] = [];
    const { rig, checkpoints } = await startGated(() => {
      stopped.push(rig.domain.remove('@rmk/checkpoint'));
    });
    checkpoints.use(new Algorithm('steady'));
    await rig.advance('1ms');
    await Promise.all(stopped);
    expect(checkpoints.retained).toEqual([]);
  });
});

describe('what happens while a rollback is under way', () => {
  async function startGated() {
    const gate = new Gate('rollback');
    const domain = await start({
      algorithms: [],
      plugins: [interposedPageTable(gate)],
      agent: { retain: 3 },
    });
    const use = domain.checkpoints.use(new Algorithm('steady'));
    await domain.rig.advance('7ms');
    expect(takenMs(domain.checkpoints)).toEqual([5, 0]);
    return { domain, gate, use };
  }

  it('the last algorithm goes: what the rollback opened is not retained either', async () => {
    const { domain, gate, use } = await startGated();
    gate.during = () => use[Symbol.dispose]();
    await rollBack(domain, 1);
    expect(domain.checkpoints.retained).toEqual([]);
    expect(domain.rig.events('EVT_PROTECTIONLOST')).toHaveLength(1);
  });

  it('the log is lost: what the rollback opened is retained, and reported when it is lost in turn', async () => {
    const { domain, gate } = await startGated();
    const { rig, checkpoints } = domain;
    const logLost = rig.domain.bus.topic('EVT_LOGLOST');
    gate.during = () => logLost.publish({ atNs: rig.nowNs, reason: 'the first time' });
    await rollBack(domain, 1);
    expect(checkpoints.retained).toMatchObject([{ origin: 'rollback' }]);
    logLost.publish({ atNs: rig.nowNs, reason: 'the second time' });
    expect(checkpoints.retained).toEqual([]);
    logLost.publish({ atNs: rig.nowNs, reason: 'nothing is left to lose' });
    expect(rig.events('EVT_CHECKPOINTLOST')).toMatchObject([
      { reason: 'the first time', checkpoints: 2, endsProtection: true },
      { reason: 'the second time', checkpoints: 1, endsProtection: true },
    ]);
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

describe('a log area that is too small for the ring', () => {
  it('keeps as many checkpoints as it has room for, and blames nobody', async () => {
    const { rig, checkpoints } = await start({
      agent: { retain: 50 },
      algorithms: [cowp()],
      logPages: 600,
    });
    await rig.advance('200ms');
    const lost = rig.events('EVT_CHECKPOINTLOST');
    expect(lost.length).toBeGreaterThan(8);
    const dropped = lost.filter(({ endsProtection }) => !endsProtection);
    expect(new Set(dropped.map((event) => event.checkpoints))).toEqual(new Set([1]));
    expect(checkpoints.retained.length).toBeGreaterThanOrEqual(1);
    expect(rig.domain.plugins.filter(({ state, faults }) => state !== 'active' || faults > 0)).toEqual([]);
    expect(rig.guestState).toEqual(await goldenRun(guest, 200 * MS));
  });
});

describe('checkpoints asked for between two intervals', () => {
  it('do not shorten a history that is derived from the detectors', async () => {
    const slow = definePlugin({
      name: 'slow-detector',
      version: '1.0.0',
      rmk: '^0.2.0',
      modules: [],
      detects: () => [{ kind: 'slow', boundNs: 18 * MS }],
    });
    const { rig, checkpoints } = await start({ plugins: [pinPtable(), slow()] });
    await rig.advance('42ms');
    for (let asked = 0; asked < 20; asked++) await checkpoints.take();
    const oldest = checkpoints.retained.at(-1)?.takenAtNs ?? rig.nowNs;
    expect(rig.nowNs - oldest).toBeGreaterThanOrEqual(18 * MS);
    await rig.advance('40ms');
    expect(checkpoints.retained).toHaveLength(checkpoints.retain);
  });
});

describe.each(['before', 'after'] as const)(
  'a P_PTABLE that throws %s the driver took the checkpoint',
  (moment) => {
    it('costs what is retained, until the next checkpoint', async () => {
      const failures = new Failures();
      const { rig, checkpoints } = await start({
        plugins: [interposedPageTable(failures)],
        agent: { retain: 3 },
        faults: 'expected',
        // Of a checkpoint that the pin keeps to itself, nobody can release the log.
        leaks: 'expected',
      });
      await rig.advance('12ms');
      failures.next = moment;
      await rig.advance('5ms');
      expect(checkpoints.retained).toEqual([]);
      const reason = `a checkpoint failed: the pin failed ${moment} the driver did it`;
      expect(rig.events('EVT_CHECKPOINTLOST')).toMatchObject([{ atNs: 15 * MS, checkpoints: 3, reason }]);
      expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([{ atNs: 15 * MS, reason }]);
      await rig.advance('15ms');
      expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([{ atNs: 20 * MS, lostForNs: 5 * MS }]);
      expect(
        rig.events('EVT_CHECKPOINTED').map(({ atNs, checkpoint: { origin } }) => [atNs / MS, origin]),
      ).toEqual([
        [0, 'first'],
        [5, 'interval'],
        [10, 'interval'],
        [20, 'first'],
        [25, 'interval'],
        [30, 'interval'],
      ]);
      const { undoneNs } = await rollBack({ rig, checkpoints }, 2);
      expect(undoneNs).toBe(12 * MS);
      expect(rig.guestState).toEqual(await goldenRun(guest, 20 * MS));
    });

    it('rejects the promise of whoever asked for the checkpoint', async () => {
      const failures = new Failures();
      const { rig, checkpoints } = await start({
        plugins: [interposedPageTable(failures)],
        leaks: 'expected',
      });
      await rig.advance('7ms');
      failures.next = moment;
      await expect(checkpoints.take()).rejects.toThrow(`the pin failed ${moment}`);
      expect(eventsMs(rig, 'EVT_PROTECTIONLOST')).toEqual([7]);
      await rig.advance('6ms');
      expect(eventsMs(rig, 'EVT_PROTECTIONRESTORED')).toEqual([12]);
    });
  },
);

describe('a P_PTABLE that throws instead of rolling back', () => {
  it('leaves the ring as it was, and the next try succeeds', async () => {
    const failures = new Failures();
    const domain = await start({ plugins: [interposedPageTable(failures)] });
    await domain.rig.advance('12ms');
    const before = domain.checkpoints.retained;
    failures.next = 'before';
    await expect(rollBack(domain, 1)).rejects.toThrow('the pin failed before');
    expect(domain.checkpoints.retained).toEqual(before);
    await rollBack(domain, 1);
    expect(domain.rig.guestState).toEqual(await goldenRun(guest, 5 * MS));
  });
});

describe('a full log area', () => {
  it('costs the checkpoints, not the guest, and the next one protects it again', async () => {
    const { rig, checkpoints } = await start({
      logPages: 60,
      agent: { retain: 50 },
      record: ['EVT_LOGLOST'],
    });
    await rig.advance('40ms');
    const losses = rig.events('EVT_CHECKPOINTLOST');
    expect(losses.length).toBeGreaterThan(0);
    expect(losses.every(({ reason }) => reason.startsWith('the log area of 60 pages is full'))).toBe(true);
    expect(rig.events('EVT_PROTECTIONLOST')).toHaveLength(losses.length);
    for (const [i, { atNs }] of rig.events('EVT_PROTECTIONRESTORED').entries()) {
      const lostAtNs = losses[i]?.atNs ?? NaN;
      expect(atNs).toBe(Math.ceil(lostAtNs / (5 * MS)) * 5 * MS);
    }
    expect(rig.guestState).toEqual(await goldenRun(guest, 40 * MS));
    await checkpoints.take();
    expect(rig.events('EVT_PROTECTIONRESTORED')).toHaveLength(losses.length);
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

describe('the derived number of checkpoints', () => {
  it('is two without a detector, and 256 at most, with a warning', async () => {
    const without = await start();
    expect(without.checkpoints.retain).toBe(2);
    const { rig, checkpoints } = await start({ algorithms: [cowb(), detector(3600e9)] });
    expect(checkpoints.retain).toBe(256);
    expect(rig.events('EVT_WARNING').map(({ code }) => code)).toEqual(['RMK_WARN_HISTORY']);
  });

  it('limits the reach of the ring too', async () => {
    const { rig, checkpoints } = await start({
      agent: { interval: '100us' },
      algorithms: [cowb(), detector(3600e9)],
    });
    await rig.advance('30ms');
    expect(checkpoints.retained).toHaveLength(256);
  });

  it.each([1e300, Number.MAX_SAFE_INTEGER + 1, Infinity])(
    'cannot come of a bound of %d ns',
    async (boundNs) => {
      await expect(start({ algorithms: [cowb(), detector(boundNs)] })).rejects.toMatchObject({
        code: 'RMK_ERR_MANIFEST',
      });
    },
  );
});

describe('the log area', () => {
  it('holds the logs of the ring and no other pages, over hundreds of checkpoints, requests and rollbacks', async () => {
    const LOG_PAGES = 1000;
    const domain = await start({ agent: { interval: '500us', retain: 3 }, logPages: LOG_PAGES });
    const { rig, checkpoints } = domain;
    for (let round = 0; round < 20; round++) {
      await rig.advance('5ms');
      await checkpoints.take();
      if (round % 3 === 0) await rollBack(domain, round % 2);
      await rig.advance('1.2ms');
      await checkpoints.take();
      // The log of the newest is empty with COWB; the others are of the epochs that were closed last.
      const closed = rig.events('EVT_CHECKPOINTED').slice(-2);
      const held = closed.reduce((pages, event) => pages + (event.closed?.pagesSaved ?? 0), 0);
      expect(rig.machine.freeLogPages).toBe(LOG_PAGES - held);
    }
    expect(rig.events('EVT_CHECKPOINTED').length).toBeGreaterThan(250);
    await rig.domain.stop();
    expect(rig.machine.freeLogPages).toBe(LOG_PAGES);
  });

  it('is given back by a removed agent, and nothing is tracked any more', async () => {
    const { rig } = await start({ algorithms: [cowp()], record: ['EVT_PAGEFAULT'] });
    await rig.advance('12ms');
    const faults = rig.events('EVT_PAGEFAULT').length;
    expect(faults).toBeGreaterThan(0);
    await rig.domain.remove('@rmk/checkpoint', { dependants: 'remove' });
    const { freeLogPages } = rig.machine;
    await rig.advance('20ms');
    expect(rig.machine.freeLogPages).toBe(freeLogPages);
    expect(freeLogPages).toBe(2 * rig.machine.memoryPages);
    expect(rig.events('EVT_PAGEFAULT')).toHaveLength(faults);
    expect(rig.guestState).toEqual(await goldenRun(guest, 32 * MS));
  });
});
