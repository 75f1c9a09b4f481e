import 'reflect-metadata';
import { cowp } from '@rmk/cowp';
import { CHECKPOINTS, definePlugin, type Duration, type Plugin } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { crash } from './faults.js';
import { compressor, goldenEnd } from './guests.js';

const INTERVAL_MS = 50;

function retained(rig: Rig): number {
  return rig.domain.get(CHECKPOINTS).retained.length;
}

/** Once its ring is full. */
async function protectedByCowb(): Promise<Rig> {
  const rig = await startRig({ ...compressor, plugins: microcheckpoint({ algorithm: 'cowb' }) });
  await rig.advance('320ms');
  return rig;
}

/** The steps of a swap without a gap: the new one is there before the old one goes. */
const swap: readonly ((rig: Rig) => Promise<void>)[] = [
  (rig) => rig.domain.install(cowp()),
  (rig) => rig.advance('7ms'),
  (rig) => rig.domain.remove('@rmk/cowb'),
  (rig) => rig.advance('7ms'),
  (rig) => rig.advance('50ms'),
];

async function expectGoldenEnd(rig: Rig): Promise<void> {
  expect(await rig.runToEnd()).toBe(0);
  expect(rig.guestState, rig.timeline()).toEqual(await goldenEnd(compressor));
}

describe('COWB swapped for COWP under a running guest', () => {
  it('loses no checkpoint at any moment, and the next one is by the new algorithm', async () => {
    const sizes: number[] = [];
    const rig = await protectedByCowb();
    expect(retained(rig)).toBe(6);
    for (const step of swap) {
      await step(rig);
      sizes.push(retained(rig));
    }
    expect(sizes).toEqual(swap.map(() => 6));
    await expectGoldenEnd(rig);
    const algorithms = rig.events('EVT_CHECKPOINTED').map(({ algorithm }) => algorithm);
    expect(algorithms.slice(0, 8)).toEqual([...Array<string>(7).fill('@rmk/cowb'), '@rmk/cowp']);
    expect(new Set(algorithms.slice(7))).toEqual(new Set(['@rmk/cowp']));
    expect(rig.events('EVT_CHECKPOINTLOST')).toEqual([]);
    expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
    // The guest has not noticed: nothing was undone, and it took not an instruction longer.
    expect(rig.nowNs).toBe((await goldenEnd(compressor)).guestNs);
  });

  it.each(swap.map((_, steps) => steps))(
    'is recovered from a crash after step %d, by the target',
    async (steps) => {
      const rig = await protectedByCowb();
      for (const step of swap.slice(0, steps + 1)) await step(rig);
      await crash(rig);
      await expectGoldenEnd(rig);
      expect(rig.events('EVT_RECOVERED').map(({ record }) => record.rung)).toEqual(['target']);
    },
  );
});

describe('an agent that is removed and installed again', () => {
  it('is a gap in protection, which is reported with its length', async () => {
    const rig = await protectedByCowb();
    await rig.domain.remove('@rmk/checkpoint', { dependants: 'remove' });
    expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([{ atNs: 320e6 }]);
    await rig.advance('30ms');
    const family = microcheckpoint().filter(({ definition }) =>
      ['@rmk/checkpoint', '@rmk/cowp', '@rmk/recovery'].includes(definition.name),
    );
    for (const plugin of family) await rig.domain.install(plugin);
    await rig.advance('1ms');
    expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([
      { atNs: 350e6, lostForNs: 30e6, source: '@rmk/protection-watch' },
    ]);
    await rig.advance('100ms');
    await crash(rig);
    await expectGoldenEnd(rig);
    expect(rig.events('EVT_RECOVERED').map(({ record }) => record.rung)).toEqual(['target']);
  });
});

describe('an agent that is restarted', () => {
  it.each(['@rmk/checkpoint', '@rmk/pin-ptable'])(
    'with %s has lost its checkpoints, and says when there are some again',
    async (name) => {
      const rig = await protectedByCowb();
      await rig.domain.restart(name);
      await rig.advance('60ms');
      expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([{ atNs: 320e6 }]);
      expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([{ atNs: 320e6, lostForNs: 0 }]);
      await rig.advance('40ms');
      await crash(rig);
      await expectGoldenEnd(rig);
      expect(rig.events('EVT_RECOVERED').map(({ record }) => record.rung)).toEqual(['target']);
    },
  );

  it('while it has no algorithm says so once there is one', async () => {
    const rig = await protectedByCowb();
    await rig.domain.remove('@rmk/cowb');
    await rig.domain.restart('@rmk/checkpoint');
    await rig.advance('30ms');
    expect(rig.events('EVT_PROTECTIONRESTORED')).toEqual([]);
    await rig.domain.install(cowp());
    await rig.advance('1ms');
    expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([{ atNs: 320e6 }]);
    expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([{ atNs: 350e6, lostForNs: 30e6 }]);
    await expectGoldenEnd(rig);
  });
});

/** Promises to report an error so long after it arose, and never does. */
function patient(bound: Duration): Plugin {
  return definePlugin({
    name: 'rmk-plugin-patient-detector',
    version: '1.0.0',
    rmk: '^0.2.0',
    detects: () => [{ kind: 'boredom', boundNs: Number.parseInt(bound, 10) * 1e6 }],
  })();
}

describe('a detector that comes and goes while the guest runs', () => {
  it('makes the ring reach further back, and then no further than before', async () => {
    const rig = await protectedByCowb();
    const { retain: before } = rig.domain.get(CHECKPOINTS);
    expect([before, retained(rig)]).toEqual([6, 6]);
    await rig.domain.install(patient('480ms'));
    expect(rig.domain.get(CHECKPOINTS).retain).toBe(Math.ceil(480 / INTERVAL_MS) + 1);
    // What it needs is there once the ring has filled.
    const sizes: number[] = [];
    for (let interval = 0; interval < 6; interval++) {
      await rig.advance('50ms');
      sizes.push(retained(rig));
    }
    expect(sizes).toEqual([7, 8, 9, 10, 11, 11]);
    await rig.domain.remove('rmk-plugin-patient-detector');
    expect(rig.domain.get(CHECKPOINTS).retain).toBe(before);
    await rig.advance('50ms');
    expect(retained(rig)).toBe(6);
    expect(rig.events('EVT_CHECKPOINTLOST')).toEqual([]);
    await expectGoldenEnd(rig);
  });
});
