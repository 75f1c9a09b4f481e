import 'reflect-metadata';
import { BUS, definePlugin, type Bus, type Class, type Module, type Plugin } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { RECORDED, startRig, type Rig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { crash, hang } from './faults.js';
import { compressor, goldenEnd } from './guests.js';

/** A module that does `what` whenever anything happens, its own faults included. */
function atEveryEvent(what: (happened: number, name: string) => void | Promise<void>): Class {
  @injectable()
  class Listener implements Module {
    private happened = 0;

    constructor(@inject(BUS) private readonly bus: Bus) {}

    start(): void {
      for (const name of RECORDED) this.bus.on(name, () => what((this.happened += 1), name));
    }
  }
  return Listener;
}

function pluginOf(name: string, module: Class): Plugin {
  return definePlugin({
    name,
    version: '1.0.0',
    rmk: '^0.2.0',
    before: ['@rmk/recovery'],
    modules: [module],
  })();
}

const throwing = (_: number, name: string): void => {
  throw new Error(`${name}!`);
};
const rejecting = (_: number, name: string): Promise<void> => Promise.reject(new Error(`not ${name} again`));
const grumbling = (happened: number, name: string): void | Promise<void> =>
  happened % 2 === 0 ? rejecting(happened, name) : throwing(happened, name);

const grumbler = (what: typeof grumbling): Plugin => pluginOf('rmk-plugin-grumbler', atEveryEvent(what));
const aCrash = { fault: 'a crash', inject: crash };
const aHang = { fault: 'a hang', inject: hang };

interface Misbehaviour {
  readonly does: string;
  readonly what: typeof grumbling;
  readonly fault: string;
  readonly inject: (rig: Rig) => Promise<void>;
  readonly quarantineAfterFaults: number;
}

describe('a module at every event', () => {
  it.each<Misbehaviour>([
    { does: 'throws', what: throwing, ...aCrash, quarantineAfterFaults: 8 },
    { does: 'throws', what: throwing, ...aHang, quarantineAfterFaults: 8 },
    { does: 'rejects', what: rejecting, ...aCrash, quarantineAfterFaults: 8 },
    { does: 'rejects', what: rejecting, ...aHang, quarantineAfterFaults: 8 },
    { does: 'throws or rejects', what: grumbling, ...aCrash, quarantineAfterFaults: 1 },
    { does: 'throws or rejects', what: grumbling, ...aHang, quarantineAfterFaults: 8 },
    { does: 'throws or rejects', what: grumbling, ...aCrash, quarantineAfterFaults: 1000 },
  ])(
    '$does, does not keep $fault from being recovered, and is quarantined at fault $quarantineAfterFaults',
    async ({ what, inject: injectFault, quarantineAfterFaults }) => {
      const rig = await startRig({
        ...compressor,
        plugins: [...microcheckpoint(), grumbler(what)],
        supervision: { quarantineAfterFaults },
        faults: 'expected',
      });
      await rig.advance('275.137ms');
      await injectFault(rig);
      expect(await rig.runToEnd()).toBe(0);
      expect(rig.guestState).toEqual(await goldenEnd(compressor));
      expect(rig.events('EVT_RECOVERED').map(({ record }) => record.rung)).toEqual(['target']);

      const faulty = new Set(rig.events('EVT_PLUGINFAULT').map(({ plugin }) => plugin));
      expect(faulty).toEqual(new Set(['rmk-plugin-grumbler']));
      const quarantined = rig.events('EVT_PLUGINQUARANTINED');
      expect(quarantined.map(({ plugin, faults }) => ({ plugin, faults }))).toEqual([
        { plugin: 'rmk-plugin-grumbler', faults: quarantineAfterFaults },
      ]);
      const states = rig.domain.plugins.map(({ name, state }) => `${name} ${state}`);
      const names = microcheckpoint().flatMap(({ definition: { name, companions = [] } }) => [
        name,
        ...companions.map(({ definition }) => definition.name),
      ]);
      expect(new Set(states)).toEqual(
        new Set(['rmk-plugin-grumbler quarantined', ...names.map((name) => `${name} active`)]),
      );
    },
  );
});

/** Blocks this process, and with it the guest, for so long; burns nothing. */
function block(forHostMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forHostMs);
}

const sleep = (forHostMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, forHostMs));

async function hitWith(injectFault: (rig: Rig) => Promise<void>, others: readonly Plugin[]): Promise<Rig> {
  const rig = await startRig({
    ...compressor,
    plugins: [...microcheckpoint(), ...others],
    supervision: { handlerBudget: '2ms' },
    record: ['EVT_PLUGINSLOW'],
  });
  await rig.advance('275.137ms');
  await injectFault(rig);
  expect(await rig.runToEnd()).toBe(0);
  return rig;
}

/** All that happened in the domain, with its numbers, but for what host time has a say in. */
function occurrencesIn(rig: Rig): readonly string[] {
  // A VM that is held for long is warned of, and "long" is host time too.
  return RECORDED.filter((name) => name !== 'EVT_PLUGINSLOW' && name !== 'EVT_WARNING').flatMap((name) =>
    rig.events(name).map(({ sequence, atNs, source }) => `${sequence} ${name} ${atNs} ${source}`),
  );
}

describe.each<{ readonly how: string; readonly what: () => void | Promise<void> }>([
  { how: 'blocks', what: () => block(4) },
  { how: 'holds the VM', what: () => sleep(4) },
])('a module that $how for longer than its budget at every event', ({ what }) => {
  it.each([aCrash, aHang])(
    'is reported, and changes nothing of how $fault is recovered',
    async ({ inject: injectFault }) => {
      const slow = pluginOf('rmk-plugin-slow', atEveryEvent(what));
      const rig = await hitWith(injectFault, [slow]);
      // A subscriber of each event too: what nobody observes is not numbered.
      const quick = pluginOf(
        'rmk-plugin-slow',
        atEveryEvent(() => {}),
      );
      const alone = await hitWith(injectFault, [quick]);
      expect(rig.guestState).toEqual(await goldenEnd(compressor));
      expect(rig.events('EVT_RECOVERED').map(({ record }) => record.rung)).toEqual(['target']);
      expect(occurrencesIn(rig)).toEqual(occurrencesIn(alone));
      expect(rig.nowNs).toBe(alone.nowNs);

      const reported = rig.events('EVT_PLUGINSLOW').filter(({ plugin }) => plugin === 'rmk-plugin-slow');
      expect(reported.map(({ during }) => during)).toEqual(
        expect.arrayContaining(['EVT_CHECKPOINTED', 'EVT_RECOVERED']),
      );
      for (const { tookHostMs, budgetHostMs } of reported) expect(tookHostMs).toBeGreaterThan(budgetHostMs);
      expect(rig.domain.plugins.map(({ state, faults }) => `${state} ${faults}`)).toEqual(
        rig.domain.plugins.map(() => 'active 0'),
      );
    },
  );
});
