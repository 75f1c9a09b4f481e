import 'reflect-metadata';
import {
  BUS,
  CLOCK,
  definePlugin,
  type Bus,
  type Clock,
  type Detection,
  type LatencyBound,
  type Module,
  type Plugin,
} from '@rmk/core';
import { inject, injectable } from 'tsyringe';
import { describe, expect, it } from 'vitest';
import { TriggerReader } from '../src/trigger.js';
import { MS, ProtectedVm } from './protectedVm.js';

/** A detector that says what it detects, and reports a crash at 37 ms if it is to. */
function detector(name: string, detects: readonly Detection[], reports?: 'crash'): Plugin {
  @injectable()
  class Detector implements Module {
    constructor(
      @inject(BUS) private readonly bus: Bus,
      @inject(CLOCK) private readonly clock: Clock,
    ) {}

    start(): void {
      if (reports === undefined) return;
      const topic = this.bus.topic('EVT_ERRORDETECTED');
      this.clock.after(37 * MS, () => topic.publish({ atNs: 37 * MS, kind: reports, cause: 'unknown' }));
    }
  }
  return definePlugin({ name, version: '1.0.0', rmk: '*', modules: [Detector], detects: () => detects })();
}

/** The tests report for the host, which declares nothing. */
const declared = [4, 12].map((ms) =>
  detector(`within-${ms}ms`, [{ kind: 'crash', boundNs: ms * MS, quantile: 0.9 }]),
);

async function latencyOf(latency: LatencyBound, plugins: readonly Plugin[]) {
  const vm = await ProtectedVm.start({ plugins });
  await vm.runTo(37);
  await vm.crash({ latency });
  return { latency: vm.records[0]?.trigger.latency, warnings: vm.warnings };
}

describe('an error of a kind that its detector does not declare', () => {
  it('is taken to be as old as the longest bound of all, which is warned of once for each kind', async () => {
    const vm = await ProtectedVm.start({ plugins: declared });
    for (const kind of ['odd', 'odd', 'strange']) {
      await vm.rig.advance('37ms');
      await vm.crash({ kind, latency: undefined });
    }
    expect(vm.records.map(({ trigger }) => trigger.latency)).toEqual(
      [1, 2, 3].map(() => ({ boundNs: 12 * MS })),
    );
    const warning = (kind: string) =>
      `RMK_WARN_UNDECLARED: host reported an error of the kind '${kind}', which its detects() does not declare, ` +
      'so its latency is unknown: 12 ms is assumed, the longest bound declared. Declare the kind, or give the event ' +
      'a latency.';
    expect(vm.warnings).toEqual([warning('odd'), warning('strange')]);
  });

  it('is not warned of where it says since when the guest is suspect', async () => {
    const vm = await ProtectedVm.start();
    await vm.runTo(37);
    await vm.crash({ kind: 'odd', latency: undefined, suspectSinceNs: 25 * MS });
    expect(vm.warnings).toEqual([]);
    expect(vm.records[0]?.checkpoint?.takenAtNs).toBe(20 * MS);
  });

  it('is as old as the event says, also where that is no age at all', async () => {
    for (const boundNs of [0, 12 * MS]) {
      expect(await latencyOf({ boundNs }, [])).toEqual({ latency: { boundNs }, warnings: [] });
    }
  });

  it.each([-1, Number.NaN, Infinity])('has no latency of %d ns', async (boundNs) => {
    const { latency, warnings } = await latencyOf({ boundNs }, declared);
    expect(latency).toEqual({ boundNs: 12 * MS });
    expect(warnings).toHaveLength(1);
  });
});

describe('the latency of an error', () => {
  const recovered = async (...detects: readonly Detection[]) => {
    const vm = await ProtectedVm.start({ plugins: [detector('reporter', detects, 'crash'), ...declared] });
    await vm.rig.advance('38ms');
    return vm.records[0]?.trigger.latency;
  };

  it('is the longest one that its own detector declares for its kind', async () => {
    const others = [
      { kind: 'hang', boundNs: 11 * MS },
      { kind: 'crash', boundNs: 2 * MS },
    ];
    const longest = { kind: 'crash', boundNs: 3 * MS };
    expect(await recovered(...others, longest)).toStrictEqual({ boundNs: 3 * MS });
    expect(await recovered(longest, ...others)).toStrictEqual({ boundNs: 3 * MS });
  });

  it('has the quantile that is declared with it', async () => {
    expect(await recovered({ kind: 'crash', boundNs: 3 * MS, quantile: 0.9 })).toEqual({
      boundNs: 3 * MS,
      quantile: 0.9,
    });
  });
});

it('the time of a detection is now where it is no time: who reads it does not rely on the bus', () => {
  const bus = { topic: () => ({ publish: () => {} }) } as unknown as Bus;
  const reader = new TriggerReader({ all: [], longestBoundNs: 0 }, bus);
  const detected = { kind: 'crash', cause: 'a', source: 'host', sequence: 1, latency: { boundNs: 0 } };
  expect(reader.read({ ...detected, atNs: Number.NaN }, 7).atNs).toBe(7);
  expect(reader.read({ ...detected, atNs: 3 }, 7)).toStrictEqual({
    kind: 'crash',
    cause: 'a',
    atNs: 3,
    latency: { boundNs: 0 },
    detector: 'host',
  });
});
