import { definePlugin, P_VMSIGNAL, provide, VIRTUAL_MACHINE } from '@rmk/core';
import { z } from 'zod';
import { RISCV_BARE_METAL } from './crashTable.js';
import { Signals } from './signals.js';

const signalOptions = z.strictObject({
  /** The exceptions that are no crash, by cause and privilege. */
  ordinary: z
    .array(z.strictObject({ cause: z.string().min(1), privilege: z.enum(['user', 'kernel', 'machine']) }))
    .default([...RISCV_BARE_METAL]),
});

export type SignalOptions = z.output<typeof signalOptions>;

/** The pin P_VMSIGNAL. A crash is seen in the instruction that causes it, so its bound adds nothing to the history needed. */
export const pinVmsignal = definePlugin({
  name: '@rmk/pin-vmsignal',
  version: '0.1.0',
  rmk: '^0.1.0',
  requires: [VIRTUAL_MACHINE],
  provides: [provide(P_VMSIGNAL, Signals)],
  options: signalOptions,
  detects: () => [{ kind: 'crash', boundNs: 0 }],
});
