import { CHECKPOINTING, definePlugin, P_PTABLE, provide, VIRTUAL_MACHINE } from '@rmk/core';
import { PageTable } from './pageTable.js';

/** The pin P_PTABLE, and checkpointing for the checkpoint agent alone. */
export const pinPtable = definePlugin({
  name: '@rmk/pin-ptable',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE],
  provides: [provide(P_PTABLE, PageTable), provide(CHECKPOINTING, PageTable)],
});
