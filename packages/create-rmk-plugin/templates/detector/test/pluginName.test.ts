import { P_VCPU } from '@rmk/core';
import { RISCV_BARE_METAL } from '@rmk/pin-vmsignal';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { goldenRun, startRig } from '@rmk/testing';
import { expect, it } from 'vitest';
import { pluginName } from '../src/index.js';

/**
 * The pins, checkpoints and recovery. Exceptions count as ordinary here, so that only what the guest prints reveals a
 * panic.
 */
function preset() {
  const crashes = ['instruction-access-fault', 'breakpoint'];
  const ordinary = crashes.map((cause) => ({ cause, privilege: 'machine' as const }));
  return microcheckpoint({ hang: false, signals: { ordinary: [...RISCV_BARE_METAL, ...ordinary] } });
}

it('detects that the guest panics, and the guest goes on as if it never had', async () => {
  const rig = await startRig({
    guest: 'tasks',
    plugins: [...preset(), pluginName()],
    record: ['EVT_PLUGINNAMESEEN'],
  });
  await rig.advance('700ms');
  const vcpu = rig.domain.get(P_VCPU);
  await vcpu.writeRegister('privilege', 3n);
  await vcpu.writeRegister('pc', 0n); // where nothing is: the kernel of the guest panics
  await rig.advance('100ms');

  expect(rig).toHaveDetected({ kind: 'panic', by: 'rmk-plugin-plugin-name', times: 1 });
  expect(rig).toHavePublished('EVT_PLUGINNAMESEEN', { device: 'uart' });
  expect(rig).toHaveRecovered({ kind: 'panic', rung: 'target' });
  expect(rig.guestState).toEqual(await goldenRun({ guest: 'tasks' }, rig.machine.guestNs));
});

it('finds the text wherever the output is cut', async () => {
  const nobodyRecovers = preset().filter(({ definition }) => definition.name !== '@rmk/recovery');
  const rig = await startRig({
    guest: 'tasks',
    plugins: [...nobodyRecovers, pluginName({ text: '10 tasks in' })],
  });
  while (!rig.output.includes('10 tasks in')) await rig.advance('500ns');
  const pieces = rig.events('EVT_VMOUTPUT').map(({ data }) => new TextDecoder().decode(data));
  expect(pieces.every((piece) => !piece.includes('10 tasks in'))).toBe(true);
  expect(rig).toHaveDetected({ kind: 'panic', cause: '"10 tasks in" on uart', times: 1 });
});

it('reports nothing for a healthy guest', async () => {
  const rig = await startRig({ guest: 'tasks', plugins: [...preset(), pluginName()] });
  expect(await rig.runToEnd()).toBe(0);
  expect(rig).not.toHaveDetected();
});

it('refuses options that make no sense', async () => {
  const start = startRig({ guest: 'tasks', plugins: [...preset(), pluginName({ text: '' })] });
  await expect(start).rejects.toThrow('options.text: expected ASCII characters, one at least');
});
