import { definePlugin, nanoseconds, P_VMSIGNAL, provide, VIRTUAL_MACHINE } from '@rmk/core';
import { signalOptions } from './options.js';
import { Signals } from './signals.js';

/** The pin P_VMSIGNAL. A crash is seen in the instruction that causes it, so its latency is that of the error alone. */
export const pinVmsignal = definePlugin({
  name: '@rmk/pin-vmsignal',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE],
  provides: [provide(P_VMSIGNAL, Signals)],
  options: signalOptions,
  detects: ({ latencyBound }) => [
    latencyBound === false
      ? { kind: 'crash', boundNs: 0 }
      : { kind: 'crash', boundNs: nanoseconds(latencyBound.bound), quantile: latencyBound.quantile },
  ],
});
