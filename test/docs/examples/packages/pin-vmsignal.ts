import { P_VMSIGNAL } from '@rmk/core';
import { pinVmsignal, RISCV_BARE_METAL } from '@rmk/pin-vmsignal';
import { startRig } from '@rmk/testing';

const ordinary = [...RISCV_BARE_METAL, { cause: 'load-address-misaligned', privilege: 'user' } as const];
const { domain } = await startRig({ guest: 'tasks', plugins: [pinVmsignal({ ordinary })] });
domain.bus.on('EVT_ERRORDETECTED', ({ kind, cause }) => console.log(`${kind}: ${cause}`));
await domain.get(P_VMSIGNAL).raise('load-access-fault');
