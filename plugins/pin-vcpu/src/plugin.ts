import { definePlugin, P_VCPU, provide, VIRTUAL_MACHINE } from '@rmk/core';
import { Vcpu } from './vcpu.js';

/** The pin P_VCPU. */
export const pinVcpu = definePlugin({
  name: '@rmk/pin-vcpu',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE],
  provides: [provide(P_VCPU, Vcpu)],
});
