import 'reflect-metadata';
import { BUS, definePlugin, P_VMIO, type Bus, type IoPin, type Module } from '@rmk/core';
import { startFakeRig, type FakeMachineOptions } from '@rmk/testing';
import { inject, injectable } from 'tsyringe';
import { expect, it } from 'vitest';

const ROOT = new TextEncoder().encode('root\n');

/** Answers the guest's prompt. */
@injectable()
class AutoLogin implements Module {
  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(P_VMIO) private readonly io: IoPin,
  ) {}

  start(): void {
    this.bus.on('EVT_VMOUTPUT', async ({ device, data }) => {
      if (new TextDecoder().decode(data).endsWith('login: ')) await this.io.input(device, ROOT);
    });
  }
}

const autoLogin = definePlugin({
  name: 'rmk-plugin-auto-login',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VMIO],
  modules: [AutoLogin],
});

const machine: FakeMachineOptions = {
  guest: [{ at: '30ms', does: (guest) => guest.putOut('console', 'login: ') }],
};

it('logs in when the guest asks, and no sooner', async () => {
  const rig = await startFakeRig({ machine, plugins: [autoLogin()] });
  await rig.advance('20ms');
  expect(rig.pins.vmio.calls).toEqual([]);
  await rig.advance('20ms');
  expect(rig.pins.vmio.callsOf('input')).toEqual([['console', ROOT]]);
});

it('is reported where the console fails', async () => {
  const rig = await startFakeRig({ machine, plugins: [autoLogin()], faults: 'expected' });
  rig.pins.vmio.failNext('input', new Error('the console is gone'));
  await rig.advance('40ms');
  expect(rig).toHaveFaulted({ plugin: 'rmk-plugin-auto-login', message: 'the console is gone' });
});
