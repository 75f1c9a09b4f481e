import { definePlugin, P_VMIO, provide, VIRTUAL_MACHINE } from '@rmk/core';
import { Io } from './io.js';

/** The pin P_VMIO. */
export const pinVmio = definePlugin({
  name: '@rmk/pin-vmio',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE],
  provides: [provide(P_VMIO, Io)],
});
