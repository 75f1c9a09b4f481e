import 'reflect-metadata';
import { CLOCK, definePlugin, type Clock, type Module } from '@rmk/core';
import { goldenRun, startRig } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { expect, it } from 'vitest';
import { P_PLUGINNAME, pluginName, type PluginNamePin } from '../src/index.js';

/** What a module does with the pin: here it takes a sample each 10 ms. */
@injectable()
class Profiler implements Module {
  constructor(
    @inject(P_PLUGINNAME) private readonly pin: PluginNamePin,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}

  start(): void {
    this.clock.every(10e6, async () => void (await this.pin.sample()));
  }
}

const profiler = definePlugin({
  name: 'rmk-plugin-profiler',
  version: '1.0.0',
  rmk: '^0.0.0-rmk',
  requires: [P_PLUGINNAME],
  modules: [Profiler],
});

const RECORD = { record: ['EVT_PLUGINNAMESAMPLED'] } as const;

it('reads the register, and publishes its value', async () => {
  const rig = await startRig({ guest: 'tasks', plugins: [pluginName({ register: 'pc' })], ...RECORD });
  await rig.advance('50ms');
  const value = await rig.domain.get(P_PLUGINNAME).sample();
  expect(value).toBe(await rig.machine.readRegister('pc'));
  expect(rig).toHavePublished('EVT_PLUGINNAMESAMPLED', { value, source: 'rmk-plugin-plugin-name' });
});

it('is given to the modules that require it, and the guest does not notice', async () => {
  const rig = await startRig({ guest: 'tasks', plugins: [profiler(), pluginName()], ...RECORD });
  await rig.advance('105ms');
  expect(rig).toHavePublished('EVT_PLUGINNAMESAMPLED', {}, { times: 10 });
  expect(rig.guestState).toEqual(await goldenRun({ guest: 'tasks' }, rig.machine.guestNs));
});

it('refuses a register that the machine does not have', async () => {
  const start = startRig({ guest: 'tasks', plugins: [pluginName({ register: 'rax' })] });
  await expect(start).rejects.toThrow('options.register: the machine has no "rax", it has ');
});
