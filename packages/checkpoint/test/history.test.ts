import { definePlugin, type Plugin } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { pinPtable } from '@rmk/pin-ptable';
import { startRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { checkpoint, historyShortfall } from '../src/index.js';

const MS = 1e6;

/** Reports a hang at most `boundMs` after it arose. */
function detector(boundMs: number, name = 'rmk-plugin-detector'): Plugin {
  return definePlugin({
    name,
    version: '1.0.0',
    rmk: '^0.1.0',
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

const shortFor = (name: string, boundMs: number, retain: number): string =>
  `@rmk/checkpoint RMK_WARN_HISTORY 2 checkpoints 50 ms apart reach back 50 ms, and ${name} may report a hang ` +
  `${boundMs} ms after it arose: retain at least ${retain} checkpoints, or take them further apart`;

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
    expect(warnings()).toEqual([first, shortFor('quick', 60, 3)]);
    await domain.remove('quick');
    await domain.install(detector(210));
    expect(warnings()).toEqual([first, shortFor('quick', 60, 3), first]);
  });
});

it('a shortfall is exact to the nanosecond', () => {
  const detections = (boundNs: number) => ({
    longestBoundNs: boundNs,
    all: [{ kind: 'hang', boundNs, plugin: 'x' }],
  });
  expect(historyShortfall({ retain: 4, intervalNs: 10 }, detections(30))).toBeUndefined();
  expect(historyShortfall({ retain: 4, intervalNs: 10 }, detections(31))).toContain('retain at least 5');
});
