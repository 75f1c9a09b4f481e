import { CHECKPOINTING, P_PTABLE } from '@rmk/core';
import { pinPtable } from '@rmk/pin-ptable';
import { startRig } from '@rmk/testing';

const { domain } = await startRig({ guest: 'tasks', plugins: [pinPtable()] });
const pageTable = domain.get(P_PTABLE);
domain.bus.on('EVT_PAGEFAULT', ({ frames }) => console.log('page frames', frames));
const { log } = await domain.get(CHECKPOINTING).checkpoint({ preSave: 'none' });
await pageTable.write(0x8100_0000, Uint8Array.of(1, 2, 3));
console.log('saved:', await log.frames());
