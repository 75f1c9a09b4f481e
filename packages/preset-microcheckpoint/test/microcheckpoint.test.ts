import { CHECKPOINTS, DETECTIONS, P_VMSCHL, type Plugin } from '@rmk/core';
import { measuredRisk, risksOf } from '@rmk/checkpoint';
import { cowp } from '@rmk/cowp';
import { recovery } from '@rmk/recovery';
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
      '@rmk/protection-watch active',
      '@rmk/checkpoint active',
      '@rmk/cowp active',
      '@rmk/hang-detector active',
      '@rmk/restart-watch active',
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

  it('leaves the recovery out, or takes one of your own', () => {
    expect(names(microcheckpoint({ recovery: false }))).not.toContain('@rmk/recovery');
    const own = recovery({ maxRestarts: 7 });
    expect(
      microcheckpoint({ recovery: own }).filter(({ definition }) => definition.name === '@rmk/recovery'),
    ).toEqual([own]);
  });

  it.each([
    { options: { interval: '20ms' }, boundMs: 50, retain: 4, risk: 0.0291 },
    { options: { interval: '50ms' }, boundMs: 50, retain: 2, risk: 0.0159 },
    { options: { interval: '500ms' }, boundMs: 50, retain: 2, risk: 0.00167 },
    { options: { interval: '5ms' }, boundMs: 50, retain: 11, risk: 0.0432 },
    { options: { corruptionRisk: 0.01 }, boundMs: 57.693544, retain: 3, risk: 0.01 },
    { options: { corruptionRisk: 0.5 }, boundMs: 0, retain: 2, risk: 0 },
    {
      options: { corruptionRisk: 0.1, signals: { latencyBound: { bound: '10ms', quantile: 0.5 } } },
      boundMs: 14.829627,
      retain: 2,
      risk: 0.1,
    },
  ] as const)('goes back $boundMs ms for a crash and retains $retain with $options', async (given) => {
    const { rig, checkpoints } = await checkpointsOf({ hang: false, ...given.options });
    const [crash] = rig.domain.get(DETECTIONS).all;
    expect((crash?.boundNs ?? NaN) / MS).toBeCloseTo(given.boundMs, 5);
    expect(checkpoints.retain).toBe(given.retain);
    const { retain, intervalNs } = checkpoints;
    expect(risksOf(rig.domain.get(DETECTIONS).all, { retain, intervalNs })[0]?.risk).toBeCloseTo(
      given.risk,
      4,
    );
    expect(rig.events('EVT_WARNING')).toEqual([]);
  });

  it('takes measured latencies in the place of what is known of crashes in general', async () => {
    const latencies = [...Array.from({ length: 99 }, (_, index) => index + 1), Infinity];
    const quantile = await checkpointsOf({ hang: false, latencies });
    expect(quantile.rig.domain.get(DETECTIONS).all[0]).toMatchObject({
      boundNs: 95 * MS,
      quantile: 95.5 / 101,
    });
    const risk = await checkpointsOf({ hang: false, latencies, corruptionRisk: 0.05 });
    const boundNs = risk.rig.domain.get(DETECTIONS).all[0]?.boundNs ?? NaN;
    const latenciesNs = latencies.map((ms) => ms * MS);
    expect(measuredRisk(latenciesNs, boundNs, 50 * MS)).toBeLessThanOrEqual(0.05);
    expect(measuredRisk(latenciesNs, boundNs - 1, 50 * MS)).toBeGreaterThan(0.05);
    expect(() => microcheckpoint({ latencies, corruptionRisk: 0.005 })).toThrow(
      'more than 0.5 % of the 100 measured errors were never detected',
    );
  });

  it('warns where the risk is higher than what is accepted', async () => {
    const { rig } = await checkpointsOf({ hang: false, retain: 2, interval: '20ms', corruptionRisk: 0.02 });
    expect(
      rig
        .events('EVT_WARNING')
        .map(({ code }) => code)
        .toSorted(),
    ).toEqual(['RMK_WARN_HISTORY', 'RMK_WARN_RISK']);
  });

  it.each([0, 1, -0.1, Number.NaN, '0.02'])('refuses %j for corruptionRisk', (corruptionRisk) => {
    expect(() => microcheckpoint({ corruptionRisk: corruptionRisk as number })).toThrow(
      'corruptionRisk: expected a probability',
    );
  });

  it.each([[[]], [[-1]], [['5']], [[Number.NaN]], ['5']])('refuses %j for latencies', (latencies) => {
    expect(() => microcheckpoint({ latencies: latencies as number[] })).toThrow(
      'latencies: expected at least one',
    );
  });

  it.each([
    [null, 'microcheckpoint: invalid options: expected an object of options'],
    ['cowp', 'microcheckpoint: invalid options: expected an object of options'],
    [
      { intervall: '50ms' },
      'microcheckpoint: invalid options: unknown: intervall. Choose among interval, retain, ',
    ],
    [
      { algorithm: 'cowq' },
      "microcheckpoint: invalid options: algorithm: expected 'cowb', 'cowp', or a plugin that contributes an algorithm",
    ],
    [
      { algorithm: 'toString' },
      "microcheckpoint: invalid options: algorithm: expected 'cowb', 'cowp', or a plugin",
    ],
    [
      { algorithm: cowp },
      "microcheckpoint: invalid options: algorithm: expected 'cowb', 'cowp', or a plugin that contributes an algorithm: call the function, it makes the plugin",
    ],
    [{ interval: '50' }, 'microcheckpoint: invalid options: interval: expected a duration'],
    [{ retain: 1 }, 'microcheckpoint: invalid options: retain: '],
    [
      { hang: true },
      'microcheckpoint: invalid options: hang: expected the options of the hang detector, or false',
    ],
    [{ signals: [] }, 'microcheckpoint: invalid options: signals: expected the options of pin-vmsignal'],
    [
      { recovery: 'none' },
      'microcheckpoint: invalid options: recovery: expected the options of the recovery, a plugin, or false',
    ],
    [
      { algorithm: null, x: 1 },
      /microcheckpoint: invalid options\n {2}- algorithm: expected .+\n {2}- unknown: x\. Choose among/,
    ],
  ])('refuses %o', (options, message) => {
    const make = () => microcheckpoint(options as unknown as MicrocheckpointOptions);
    expect(make).toThrow(typeof message === 'string' ? `RMK_ERR_INPUT: ${message}` : message);
  });
});
