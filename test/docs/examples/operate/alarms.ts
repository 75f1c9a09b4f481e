import 'reflect-metadata';
import { BUS, definePlugin, P_VMSIGNAL, type Bus } from '@rmk/core';
import { startRig } from '@rmk/testing';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { inject, injectable } from 'tsyringe';

// #region observer
/** Reports what an operator has to know. */
@injectable()
class Alarms {
  constructor(@inject(BUS) private readonly bus: Bus) {}

  start(): void {
    this.bus.on('EVT_RECOVERED', ({ record: { trigger, rung } }) =>
      console.log(`recovered from ${trigger.kind} (${rung}): ${trigger.cause}`),
    );
    this.bus.on('EVT_RECOVERYFAILED', ({ reason, givenUp }) =>
      console.log(`ALARM: VM ${givenUp ? 'given up' : 'not recovered'}: ${reason}`),
    );
    this.bus.on('EVT_PROTECTIONLOST', ({ reason }) => console.log(`ALARM: unprotected: ${reason}`));
    this.bus.on('EVT_PLUGINQUARANTINED', ({ plugin }) => console.log(`ALARM: ${plugin} is quarantined`));
    this.bus.on('EVT_WARNING', ({ code, message }) => console.log(`${code}: ${message}`));
  }
}

export const alarms = definePlugin({
  name: 'rmk-plugin-alarms',
  version: '1.0.0',
  rmk: '^0.2.0',
  modules: [Alarms],
});
// #endregion

const rig = await startRig({ guest: 'tasks', plugins: [...microcheckpoint(), alarms()] });
await rig.advance('275ms');
await rig.domain.get(P_VMSIGNAL).raise('load-access-fault');
await rig.advance('100ms');
await rig.stop();
