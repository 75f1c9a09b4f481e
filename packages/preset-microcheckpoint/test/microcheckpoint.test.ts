import { CHECKPOINTS, DETECTIONS, P_VMSCHL, type Plugin } from '@rmk/core';
import { cowp } from '@rmk/cowp';
import { startRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { microcheckpoint, type MicrocheckpointOptions } from '../src/index.js';

const MS = 1e6;

async function checkpointsOf(options?: MicrocheckpointOptions) {
  const rig = await startRig({ guest: 'tasks', plugins: microcheckpoint(options) });
  return { rig, checkpoints: rig.domain.get(CHECKPOINTS) };
}

function names(plugins: readonly Plugin[]): readonly string[] {
  return plugins.map(({ definition }) => definition.name);
}

describe('the preset', () => {
  it('is the deployment of figure 1', async () => {
    const { rig } = await checkpointsOf();
    expect(rig.domain.plugins.map(({ name, state }) => `${name} ${state}`)).toEqual([
      '@rmk/pin-vcpu active',
      '@rmk/pin-ptable active',
      '@rmk/pin-vmsignal active',
      '@rmk/pin-vmschl active',
      '@rmk/pin-vmio active',
      '@rmk/checkpoint active',
      '@rmk/cowp active',
      '@rmk/hang-detector active',
      '@rmk/recovery active',
    ]);
    expect(rig.events('EVT_WARNING')).toEqual([]);
  });

  it('retains six checkpoints at 50 ms, for hangs of 200 ms reported in slices of 10 ms', async () => {
    const { rig, checkpoints } = await checkpointsOf();
    expect(rig.domain.get(P_VMSCHL).schedulingIntervalNs).toBe(10 * MS);
    expect(rig.domain.get(DETECTIONS).all).toEqual([
      { kind: 'crash', boundNs: 50 * MS, quantile: 0.95, plugin: '@rmk/pin-vmsignal' },
      { kind: 'hang', boundNs: 215 * MS, plugin: '@rmk/hang-detector' },
    ]);
    expect(checkpoints.intervalNs).toBe(50 * MS);
    expect(checkpoints.retain).toBe(6);
  });

  it.each([
    { options: { interval: '100ms' }, retain: 4 },
    { options: { interval: '500ms' }, retain: 2 },
    { options: { hang: { threshold: '1s' } }, retain: 22 },
    { options: { hang: false }, retain: 2 },
    { options: { hang: false, retain: 5 }, retain: 5 },
  ] as const)('retains $retain with $options', async ({ options, retain }) => {
    const { rig, checkpoints } = await checkpointsOf(options);
    expect(checkpoints.retain).toBe(retain);
    expect(rig.events('EVT_WARNING')).toEqual([]);
  });

  it('warns where fewer are retained than the detectors need', async () => {
    const { rig } = await checkpointsOf({ retain: 5 });
    expect(rig.events('EVT_WARNING')).toMatchObject([{ code: 'RMK_WARN_HISTORY' }]);
  });

  it('takes COWB, COWP, or any plugin that contributes an algorithm', async () => {
    expect(names(microcheckpoint({ algorithm: 'cowb' }))).toContain('@rmk/cowb');
    expect(names(microcheckpoint({ algorithm: 'cowp' }))).toContain('@rmk/cowp');
    const clusters = cowp({ clusterPages: 8 });
    expect(microcheckpoint({ algorithm: clusters })).toContain(clusters);
  });

  it('hands options on to the plugins that they are for', () => {
    const options = microcheckpoint({
      interval: '20ms',
      retain: 9,
      hang: { threshold: '150ms' },
      signals: { ordinary: [] },
      recovery: { maxRestarts: 1 },
    }).map((plugin) => [plugin.definition.name, plugin.options]);
    expect(Object.fromEntries(options)).toMatchObject({
      '@rmk/checkpoint': { interval: '20ms', retain: 9 },
      '@rmk/hang-detector': { threshold: '150ms' },
      '@rmk/pin-vmsignal': { ordinary: [] },
      '@rmk/recovery': { maxRestarts: 1 },
    });
  });

  it.each([
    [null, 'microcheckpoint: invalid options: expected options, given null'],
    ['cowp', 'microcheckpoint: invalid options: expected options, given cowp'],
    [
      { intervall: '50ms' },
      'microcheckpoint: invalid options: intervall: unknown option, choose among interval, retain, ',
    ],
    [
      { algorithm: 'cowq' },
      'microcheckpoint: invalid options: algorithm: expected cowb, cowp or a plugin that contributes one, given cowq',
    ],
    [
      { algorithm: 'toString' },
      'microcheckpoint: invalid options: algorithm: expected cowb, cowp or a plugin that contributes one, given toString',
    ],
    [
      { algorithm: cowp },
      'microcheckpoint: invalid options: algorithm: expected cowb, cowp or a plugin that contributes one, given a function (call it)',
    ],
    [{ algorithm: null, x: 1 }, 'microcheckpoint: invalid options\n  - x: unknown option'],
  ])('refuses %o', (options, message) => {
    const make = () => microcheckpoint(options as unknown as MicrocheckpointOptions);
    expect(make).toThrow(`RMK_ERR_INPUT: ${message}`);
  });
});
