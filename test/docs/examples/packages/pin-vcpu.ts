import { P_VCPU } from '@rmk/core';
import { pinVcpu } from '@rmk/pin-vcpu';
import { startRig } from '@rmk/testing';

const { domain, hypervisor } = await startRig({ guest: 'tasks', plugins: [pinVcpu()] });
await hypervisor.run({ untilNs: 50_000_000 });
const vcpu = domain.get(P_VCPU);
const suspension = await vcpu.suspend();
const before = await vcpu.readRegister('x10');
await vcpu.writeRegister('x10', before ^ (1n << 5n)); // a bit flip
console.log(`x10: ${before}, then ${await vcpu.readRegister('x10')}`);
await vcpu.resume(suspension);
