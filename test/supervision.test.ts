import 'reflect-metadata';
import { BUS, definePlugin, type Bus, type Module } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { RECORDED, startRig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { crash, hang } from './faults.js';
import { compressor, goldenEnd } from './guests.js';

/** Throws whenever anything happens, its own faults included: now at once, now in a promise. */
@injectable()
class Grumbler implements Module {
  private happened = 0;

  constructor(@inject(BUS) private readonly bus: Bus) {}

  start(): void {
    for (const name of RECORDED) this.bus.on(name, () => this.grumble(name));
  }

  private grumble(name: string): Promise<void> {
    this.happened += 1;
    if (this.happened % 2 === 0) return Promise.reject(new Error(`not ${name} again`));
    throw new Error(`${name}!`);
  }
}

const grumbler = definePlugin({
  name: 'rmk-plugin-grumbler',
  version: '1.0.0',
  rmk: '^0.1.0',
  before: ['@rmk/recovery'],
  modules: [Grumbler],
});

describe('a module that throws at every event', () => {
  it.each([
    { fault: 'a crash', inject: crash, quarantineAfterFaults: 1 },
    { fault: 'a crash', inject: crash, quarantineAfterFaults: 8 },
    { fault: 'a hang', inject: hang, quarantineAfterFaults: 8 },
    { fault: 'a crash', inject: crash, quarantineAfterFaults: 1000 },
  ])(
    'does not keep $fault from being recovered, and is quarantined at fault $quarantineAfterFaults',
    async ({ inject: injectFault, quarantineAfterFaults }) => {
      const rig = await startRig({
        ...compressor,
        plugins: [...microcheckpoint(), grumbler()],
        supervision: { quarantineAfterFaults },
        faults: 'expected',
      });
      await rig.advance('275.137ms');
      await injectFault(rig);
      expect(await rig.runToEnd()).toBe(0);
      expect(rig.guestState).toEqual(await goldenEnd(compressor));
      expect(rig.events('EVT_RECOVERED').map(({ record }) => record.rung)).toEqual(['target']);

      const faulty = new Set(rig.events('EVT_MODULEFAULT').map(({ plugin }) => plugin));
      expect(faulty).toEqual(new Set(['rmk-plugin-grumbler']));
      const quarantined = rig.events('EVT_MODULEQUARANTINED');
      expect(quarantined.map(({ plugin, faults }) => ({ plugin, faults }))).toEqual([
        { plugin: 'rmk-plugin-grumbler', faults: quarantineAfterFaults },
      ]);
      const states = rig.domain.plugins.map(({ name, state }) => `${name} ${state}`);
      const names = microcheckpoint().map(({ definition }) => definition.name);
      expect(new Set(states)).toEqual(
        new Set(['rmk-plugin-grumbler quarantined', ...names.map((name) => `${name} active`)]),
      );
    },
  );
});
