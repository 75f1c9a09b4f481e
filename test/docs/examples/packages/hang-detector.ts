import { P_VCPU } from '@rmk/core';
import { hangDetector } from '@rmk/hang-detector';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmschl } from '@rmk/pin-vmschl';
import { startRig } from '@rmk/testing';

const plugins = [pinVmschl(), pinVcpu(), hangDetector({ threshold: '100ms' })];
const rig = await startRig({ guest: 'tasks', plugins });
rig.domain.bus.on('EVT_ERRORDETECTED', ({ kind, atNs }) => console.log(`${kind} at ${atNs / 1e6} ms`));
await rig.advance('50ms');
const vcpu = rig.domain.get(P_VCPU);
await vcpu.writeRegister('privilege', 3n);
await vcpu.writeRegister('mie', 0n); // no interrupts, and
await vcpu.writeRegister('pc', rig.symbol('park')); // an endless loop
await rig.advance('150ms');
