import { P_VMIO } from '@rmk/core';
import { pinVmio } from '@rmk/pin-vmio';
import { startRig } from '@rmk/testing';

const { domain, hypervisor } = await startRig({ guest: 'tasks', plugins: [pinVmio()] });
const text = new TextDecoder();
let received = '';
domain.bus.on('EVT_VMOUTPUT', ({ data }) => void (received += text.decode(data)));
await domain.get(P_VMIO).input('uart', Uint8Array.of(0x0a));
await hypervisor.run({ untilNs: 20_000_000 });
console.log(received.trimEnd());
