import type { RmkEvents } from '@rmk/core';
import { startRig, type Rig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { hangDetector } from '../src/index.js';
import { scriptedScheduling } from './scriptedScheduling.js';

const MS = 1e6;

type Options = Parameters<typeof hangDetector>[0];

async function stage(options?: Options): Promise<Rig> {
  const plugins = [scriptedScheduling(), hangDetector(options)];
  return startRig({ guest: 'tasks', plugins, record: ['EVT_VMSCHEDULED'] });
}

/** Slices of 10 ms of a guest that is busy, or idle, and gives a sign in each. */
function live(
  rig: Rig,
  untilMs: number,
  options: { readonly sign?: string; readonly idle?: boolean } = {},
): void {
  const from = rig.events('EVT_VMSCHEDULED').length * 10;
  for (let endMs = from + 10; endMs <= untilMs; endMs += 10) {
    const scheduled: RmkEvents['EVT_VMSCHEDULED'] = {
      atNs: endMs * MS,
      cpuNs: options.idle === true ? 0 : 10 * MS,
      idleNs: options.idle === true ? 10 * MS : 0,
      haltedNs: 0,
      state: 'ran',
      progress: options.sign === undefined ? [] : [{ sign: options.sign, atNs: endMs * MS }],
    };
    rig.domain.bus.topic('EVT_VMSCHEDULED').publish(scheduled);
  }
}

const warnings = (rig: Rig): readonly string[] =>
  rig.events('EVT_WARNING').map(({ code, message }) => `${code}: ${message}`);

describe('a guest that gives none of the signs', () => {
  it('is warned of once, after ten thresholds of busy time', async () => {
    const rig = await stage({ threshold: '20ms' });
    live(rig, 200);
    expect(warnings(rig)).toEqual([]);
    live(rig, 900);
    expect(warnings(rig)).toEqual([
      'RMK_WARN_SIGNS: no context-switch or heartbeat or timer-rearmed in 210 ms of busy time: the hang rule is not armed ' +
        'and detects nothing. Choose `signs` that this guest gives, or name its current task (contextSwitch of the VM)',
    ]);
  });

  it('may be idle for as long as it likes', async () => {
    const rig = await stage({ threshold: '20ms' });
    live(rig, 2000, { idle: true });
    expect(warnings(rig)).toEqual([]);
  });
});

describe('a guest that gives one sign', () => {
  it('gives enough of the default ones', async () => {
    const rig = await stage({ threshold: '20ms' });
    live(rig, 900, { sign: 'timer-rearmed' });
    expect(warnings(rig)).toEqual([]);
  });

  it('is warned of where another one was chosen', async () => {
    const rig = await stage({ threshold: '20ms', signs: ['context-switch', 'timer-rearmed'] });
    live(rig, 900, { sign: 'timer-rearmed' });
    expect(warnings(rig)).toEqual([
      'RMK_WARN_SIGNS: no context-switch in 210 ms of busy time: only timer-rearmed counts as progress. Choose `signs` that ' +
        'this guest gives, or name its current task (contextSwitch of the VM)',
    ]);
  });

  it('is warned of the others where they were chosen, be they as many as the default ones', async () => {
    const signs = ['context-switch', 'timer-rearmed', 'page-written'];
    const rig = await stage({ threshold: '20ms', signs });
    live(rig, 900, { sign: 'timer-rearmed' });
    expect(warnings(rig)).toEqual([
      expect.stringContaining(
        'no context-switch or page-written in 210 ms of busy time: only timer-rearmed counts',
      ),
    ]);
  });

  it('gives all that were chosen', async () => {
    const rig = await stage({ threshold: '20ms', signs: ['timer-rearmed'] });
    live(rig, 900, { sign: 'timer-rearmed' });
    expect(warnings(rig)).toEqual([]);
  });
});
