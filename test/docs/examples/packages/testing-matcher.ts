import { checkpoint } from '@rmk/checkpoint';
import { messageOf, P_VCPU } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmsignal } from '@rmk/pin-vmsignal';
import { recovery } from '@rmk/recovery';
import { startRig } from '@rmk/testing';
import { expect } from 'vitest';

const agent = checkpoint({ interval: '10ms', retain: 3 });
const signals = pinVmsignal({ latencyBound: { bound: '10ms', quantile: 0.95 } });
const plugins = [pinVcpu(), pinPtable(), signals, agent, cowb(), recovery()];
const rig = await startRig({ guest: 'tasks', plugins });
await rig.advance('125ms');
await rig.domain.get(P_VCPU).writeRegister('pc', 0n);
await rig.advance('5ms');
try {
  expect(rig).toHaveDetected({ kind: 'hang', within: '100ms' });
} catch (error) {
  console.log(messageOf(error));
}
