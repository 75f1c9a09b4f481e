import { definePlugin, messageOf, P_VMIO } from '@rmk/core';
import { createDomain } from '@rmk/kernel';
import { startFakeRig } from '@rmk/testing';

const outputMeter = definePlugin({
  name: 'rmk-plugin-output-meter',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VMIO],
});

const { machine } = await startFakeRig({ plugins: [] });
console.log(await createDomain({ name: 'tasks', machine, plugins: [outputMeter()] }).catch(messageOf));
