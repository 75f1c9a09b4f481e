import 'reflect-metadata';
import {
  BUS,
  CHECKPOINTS,
  definePlugin,
  P_VCPU,
  provide,
  type Bus,
  type CheckpointAlgorithm,
  type Checkpoints,
  type Plugin,
} from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { startRig, type Rig } from '@rmk/testing';
import * as fc from 'fast-check';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { checkpoint, protectionWatch } from '../src/index.js';

const MS = 1e6;
const AGENT = '@rmk/checkpoint';
const WATCH = '@rmk/protection-watch';

/** A guest with a checkpoint each 5 ms. */
function start(...algorithms: readonly Plugin[]): Promise<Rig> {
  return startRig({
    guest: 'tasks',
    machine: { memoryBytes: 2 * 1024 * 1024 },
    plugins: [pinVcpu(), pinPtable(), checkpoint({ interval: '5ms', retain: 2 }), ...algorithms],
    faults: 'expected',
  });
}

/** What was published, as `lost 12 ms` and `restored 27 ms after 15 ms`. */
function protectionOf(rig: Rig): readonly string[] {
  return [
    ...rig.events('EVT_PROTECTIONLOST').map((event) => ({ ...event, text: `lost ${event.atNs / MS} ms` })),
    ...rig.events('EVT_PROTECTIONRESTORED').map((event) => ({
      ...event,
      text: `restored ${event.atNs / MS} ms after ${event.lostForNs / MS} ms`,
    })),
  ]
    .toSorted((one, other) => one.sequence - other.sequence)
    .map(({ source, text }) => (source === WATCH ? text : `${text} by ${source}`));
}

const failing: CheckpointAlgorithm = {
  name: 'failing',
  plan: () => {
    throw new Error('no plan');
  },
};

describe('a loss of protection', () => {
  it('is reported once, with its whole length, across restarts of the agent and further losses', async () => {
    const rig = await start(cowb());
    await rig.advance('12ms');
    await rig.domain.remove('@rmk/cowb');
    await rig.advance('2ms');
    await rig.domain.restart(AGENT);
    await rig.advance('3ms');
    // A loss that the new agent knows nothing of was reported before.
    const use = rig.domain.get(CHECKPOINTS).use(failing);
    await rig.advance('8ms');
    use[Symbol.dispose]();
    await rig.advance('2ms');
    await rig.domain.install(cowb());
    await rig.advance('1ms');
    expect(protectionOf(rig)).toEqual(['lost 12 ms', 'restored 27 ms after 15 ms']);
  });

  it('is not forgotten when the watch itself is restarted', async () => {
    const rig = await start(cowb());
    await rig.advance('12ms');
    await rig.domain.remove('@rmk/cowb');
    await rig.advance('2ms');
    await rig.domain.restart(WATCH);
    await rig.domain.restart(AGENT);
    await rig.domain.install(cowb());
    await rig.advance('1ms');
    expect(protectionOf(rig)).toEqual(['lost 12 ms', 'restored 14 ms after 2 ms']);
  });

  it('of one domain is nothing to another one', async () => {
    const [one, other] = [await start(cowb()), await start(cowb())];
    for (const rig of [one, other]) await rig.advance('7ms');
    await one.domain.remove('@rmk/cowb');
    await other.advance('5ms');
    expect(protectionOf(one)).toEqual(['lost 7 ms']);
    expect(protectionOf(other)).toEqual([]);
  });

  it.each([
    ['restart', `${AGENT} is restarted: restarted by the host`],
    ['remove', `${AGENT} was removed`],
  ] as const)('follows a %s of an agent without an algorithm', async (operation, reason) => {
    const rig = await start();
    await rig.domain[operation](AGENT);
    expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([{ atNs: 0, reason }]);
  });

  it('follows a failure of the agent to start', async () => {
    const failingPin = definePlugin({
      name: 'rmk-plugin-agent',
      version: '1.0.0',
      rmk: '*',
      companions: [protectionWatch()],
      provides: [
        provide(
          CHECKPOINTS,
          agentClass(() => {}),
        ),
      ],
      modules: [
        class Failing {
          start(): void {
            throw new Error('no disk');
          }
        },
      ],
      onFailure: 'continue',
    });
    const rig = await startRig({ guest: 'tasks', plugins: [failingPin()], faults: 'expected' });
    expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([
      { atNs: 0, reason: expect.stringMatching(/^rmk-plugin-agent has failed: .*no disk/) },
    ]);
  });

  it('is none where older checkpoints make room, and where the VM is restarted', async () => {
    const rig = await start(cowb());
    await rig.advance('7ms');
    await rig.domain.get(P_VCPU).restart();
    await rig.advance('1ms');
    expect(rig.events('EVT_CHECKPOINTLOST')).toMatchObject([{ checkpoints: 2, endsProtection: false }]);
    expect(protectionOf(rig)).toEqual([]);
  });
});

/** An agent of a third party, without a ring. */
function agentClass(begin: (bus: Bus) => void) {
  @injectable()
  class Agent implements Checkpoints {
    readonly retained = [];
    readonly retain = 2;
    readonly intervalNs = 50 * MS;

    constructor(@inject(BUS) private readonly bus: Bus) {}

    start(): void {
      begin(this.bus);
    }

    use(): Disposable {
      return { [Symbol.dispose]: () => {} };
    }

    take(): Promise<never> {
      return Promise.reject(new Error('none'));
    }

    rollback(): Promise<never> {
      return Promise.reject(new Error('none'));
    }
  }
  return Agent;
}

it('an agent of a third party is watched too', async () => {
  let bus: Bus | undefined;
  const agent = definePlugin({
    name: 'rmk-plugin-agent',
    version: '1.0.0',
    rmk: '*',
    companions: [protectionWatch()],
    provides: [
      provide(
        CHECKPOINTS,
        agentClass((given) => void (bus = given)),
      ),
    ],
  });
  const rig = await startRig({ guest: 'tasks', plugins: [agent()] });
  const lost = bus?.topic('EVT_CHECKPOINTLOST');
  await rig.advance('3ms');
  lost?.publish({ atNs: 3 * MS, reason: 'made room', checkpoints: 1, endsProtection: false });
  lost?.publish({ atNs: 3 * MS, reason: 'disk full', checkpoints: 1, endsProtection: true });
  await rig.advance('2ms');
  const first = { takenAtNs: 5 * MS, origin: 'first' } as const;
  bus?.topic('EVT_CHECKPOINTED').publish({ atNs: 5 * MS, checkpoint: first, algorithm: 'own' });
  await rig.advance('1ms');
  await rig.domain.remove('rmk-plugin-agent');
  expect(protectionOf(rig)).toEqual(['lost 3 ms', 'restored 5 ms after 2 ms', 'lost 6 ms']);
  expect(rig.events('EVT_PROTECTIONLOST').map(({ reason }) => reason)).toEqual([
    'disk full',
    'rmk-plugin-agent was removed',
  ]);
});

const OPERATIONS: Readonly<Record<string, (rig: Rig) => unknown>> = {
  'remove the algorithm': (rig) => rig.domain.remove('@rmk/cowb').catch(() => {}),
  'install the algorithm': (rig) => rig.domain.install(cowb()).catch(() => {}),
  'restart the agent': (rig) => rig.domain.restart(AGENT),
  'restart the watch': (rig) => rig.domain.restart(WATCH),
  'restart the VM': (rig) => rig.domain.get(P_VCPU).restart(),
  'use what fails': (rig) => rig.domain.get(CHECKPOINTS).use(failing),
};

it('losses and restorations alternate, and lengths add up, whatever happens in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...Object.keys(OPERATIONS)), { minLength: 3, maxLength: 9 }),
      async (operations) => {
        const rig = await start(cowb());
        for (const operation of operations) {
          await rig.advance('3ms');
          await OPERATIONS[operation]?.(rig);
        }
        await rig.advance('6ms');
        const losses = rig.events('EVT_PROTECTIONLOST');
        const restorations = rig.events('EVT_PROTECTIONRESTORED');
        expect([losses.length, losses.length - 1]).toContain(restorations.length);
        const taken = new Set(rig.events('EVT_CHECKPOINTED').map(({ atNs }) => atNs));
        for (const [i, { atNs, lostForNs, sequence }] of restorations.entries()) {
          expect(lostForNs).toBe(atNs - (losses[i]?.atNs ?? NaN));
          expect(taken).toContain(atNs);
          expect(sequence).toBeGreaterThan(losses[i]?.sequence ?? Infinity);
          expect(sequence).toBeLessThan(losses[i + 1]?.sequence ?? Infinity);
        }
        // Protected is who has something to go back to.
        const isLost = losses.length > restorations.length;
        expect(rig.domain.get(CHECKPOINTS).retained.length === 0).toBe(isLost);
        await rig.stop();
      },
    ),
    { numRuns: 20 },
  );
});
