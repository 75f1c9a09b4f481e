import 'reflect-metadata';
import { BUS, definePlugin, P_VMSIGNAL, type Bus } from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig } from '@rmk/testing';

// #region plugin
@injectable()
class CrashLog {
  constructor(@inject(BUS) private readonly bus: Bus) {}

  start(): void {
    this.bus.on('EVT_ERRORDETECTED', ({ atNs, cause, source }) =>
      console.log(`${atNs} ns: ${cause}, says ${source}`),
    );
  }
}

const crashLog = definePlugin({
  name: 'rmk-plugin-crash-log',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VMSIGNAL],
  modules: [CrashLog],
});
// #endregion

const rig = await startRig({ guest: 'tasks', plugins: [...microcheckpoint(), crashLog()] });
await rig.advance('275ms');
await rig.machine.writeRegister('pc', 0n);
await rig.advance('50ms');
