import { definePlugin, P_VMSCHL, provide, VIRTUAL_MACHINE } from '@rmk/core';
import { Scheduling } from './scheduling.js';

/** The pin P_VMSCHL. */
export const pinVmschl = definePlugin({
  name: '@rmk/pin-vmschl',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE],
  provides: [provide(P_VMSCHL, Scheduling)],
});
