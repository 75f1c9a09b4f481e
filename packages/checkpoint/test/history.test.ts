import { definePlugin, type Plugin } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { pinPtable } from '@rmk/pin-ptable';
import { startRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { checkpoint, corruptionRisk, historyShortfall } from '../src/index.js';

const MS = 1e6;

/** Reports a hang at most `boundMs` after it arose. */
function detector(boundMs: number, name = 'rmk-plugin-detector'): Plugin {
  return definePlugin({
    name,
    version: '1.0.0',
    rmk: '^0.2.0',
    detects: () => [{ kind: 'hang', boundNs: boundMs * MS }],
  })();
}

async function start(...plugins: readonly Plugin[]) {
  const rig = await startRig({
    guest: 'tasks',
    plugins: [pinPtable(), checkpoint({ interval: '50ms', retain: 2 }), cowb(), ...plugins],
  });
  const warnings = (): readonly string[] =>
    rig.events('EVT_WARNING').map(({ source, code, message }) => `${source} ${code} ${message}`);
  return { rig, warnings };
}

const shortFor = (name: string, boundMs: number, retain: number, risk = 'up to 100 %'): string =>
  `@rmk/checkpoint RMK_WARN_HISTORY 2 checkpoints 50 ms apart reach back 50 ms, and ${name} may report a hang ` +
  `${boundMs} ms after it arose: retain at least ${retain} checkpoints, or take them further apart. ` +
  `As it stands, the rollback target of a hang holds the error with a probability of ${risk}`;

describe('the warning of a short history', () => {
  it('has the numbers and says what to do', async () => {
    const { warnings } = await start(detector(210));
    expect(warnings()).toEqual([shortFor('rmk-plugin-detector', 210, 6)]);
  });

  it('names the slowest of several detectors', async () => {
    const { warnings } = await start(detector(60, 'quick'), detector(300, 'slow'));
    expect(warnings()).toEqual([shortFor('slow', 300, 7)]);
  });

  it('is not given where the history is just long enough', async () => {
    expect((await start(detector(50))).warnings()).toEqual([]);
    expect((await start()).warnings()).toEqual([]);
  });

  it('comes with each change of the numbers, and with no other', async () => {
    const { rig, warnings } = await start();
    const { domain } = rig;
    await domain.install(detector(210));
    const first = shortFor('rmk-plugin-detector', 210, 6);
    expect(warnings()).toEqual([first]);
    await domain.install(detector(60, 'quick'));
    expect(warnings()).toHaveLength(1);
    await domain.remove('rmk-plugin-detector');
    expect(warnings()).toEqual([first, shortFor('quick', 60, 3, 'up to 20 %')]);
    await domain.remove('quick');
    await domain.install(detector(210));
    expect(warnings()).toEqual([first, shortFor('quick', 60, 3, 'up to 20 %'), first]);
  });
});

it('the warning has the risk of a latency that is known in distribution: eq. 5 for 70 % within 20 ms and a ring of one', () => {
  const all = [{ kind: 'crash', boundNs: 20 * MS, quantile: 0.7, plugin: 'x' }];
  const detections = { longestBoundNs: 20 * MS, all };
  expect(historyShortfall({ retain: 1, intervalNs: 20 * MS }, detections)).toMatch(
    /with a probability of 58\.\d %$/,
  );
});

describe('the warning of a risk that nobody has stated', () => {
  const crash = (quantile: number): Plugin =>
    definePlugin({
      name: 'rmk-plugin-crash',
      version: '1.0.0',
      rmk: '^0.2.0',
      detects: () => [{ kind: 'crash', boundNs: 50 * MS, quantile }],
    })();

  it('comes where the history is long enough, but too many errors take longer than the bound', async () => {
    const { warnings } = await start(crash(0.7));
    expect(warnings()).toEqual([
      '@rmk/checkpoint RMK_WARN_RISK the rollback target of a crash holds the error with a probability of 17.4 % ' +
        '(rmk-plugin-crash declares 70 % within 50 ms, taken as exponential), and 5 % are accepted by default. ' +
        'Retain more checkpoints than 2, or take them less often.',
    ]);
  });

  it('comes too for a detector that is installed later, once for each change of its numbers', async () => {
    const { rig, warnings } = await start();
    await rig.domain.install(crash(0.7));
    expect(warnings()).toEqual([
      expect.stringContaining('RMK_WARN_RISK the rollback target of a crash holds'),
    ]);
    await rig.domain.install(detector(10, 'quick'));
    expect(warnings()).toHaveLength(1);
    await rig.domain.remove('rmk-plugin-crash');
    expect(warnings()).toHaveLength(1);
    await rig.domain.install(crash(0.5));
    expect(warnings().slice(1)).toEqual([expect.stringContaining('declares 50 % within 50 ms')]);
    await rig.domain.remove('rmk-plugin-crash');
    await rig.domain.install(crash(0.5));
    expect(warnings()).toHaveLength(3);
  });

  it('does not come for the 95 % of §4', async () => {
    expect((await start(crash(0.95))).warnings()).toEqual([]);
  });

  it('comes ahead of that of a short history', async () => {
    const { warnings } = await start(crash(0.7), detector(210));
    expect(warnings().map((warning) => warning.split(' ')[1])).toEqual(['RMK_WARN_RISK', 'RMK_WARN_HISTORY']);
  });
});

it('a risk is as accepted if the two differ by rounding only: by less than one millionth of it', async () => {
  const latency = { boundNs: 50 * MS, quantile: 0.7 };
  const crash = definePlugin({
    name: 'rmk-plugin-crash',
    version: '1.0.0',
    rmk: '^0.2.0',
    detects: () => [{ kind: 'crash', ...latency }],
  });
  const risk = corruptionRisk(latency, { retain: 2, intervalNs: 50 * MS });
  const warningsAt = async (accepted: number) => {
    const agent = checkpoint({ interval: '50ms', retain: 2, corruptionRisk: accepted });
    const rig = await startRig({ guest: 'tasks', plugins: [pinPtable(), agent, cowb(), crash()] });
    return rig.events('EVT_WARNING').map(({ code }) => code);
  };
  expect(await warningsAt(risk * (1 - 0.9e-6))).toEqual([]);
  expect(await warningsAt(risk * (1 - 1.1e-6))).toEqual(['RMK_WARN_RISK']);
});

it('a shortfall is exact to the nanosecond', () => {
  const detections = (boundNs: number) => ({
    longestBoundNs: boundNs,
    all: [{ kind: 'hang', boundNs, plugin: 'x' }],
  });
  expect(historyShortfall({ retain: 4, intervalNs: 10 }, detections(30))).toBeUndefined();
  expect(historyShortfall({ retain: 4, intervalNs: 10 }, detections(31))).toContain('retain at least 5');
});
