import {
  boundOfRisk,
  corruptionRisk,
  measuredBoundOfRisk,
  measuredRisk,
  retainFor,
  risksOf,
} from '@rmk/checkpoint';
import { CHECKPOINTS, DETECTIONS, type Checkpoint, type Duration, type Nanoseconds } from '@rmk/core';
import {
  empiricalLatency,
  exponentialLatency,
  exponentialVariate,
  ladderOutcomes,
  boundOfRisk as modelBoundOfRisk,
  rateOfPercentile,
  ruleCorruption,
  ruleRetained,
  seededRandom,
} from '@rmk/model';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { ladderAgain, ladderFor } from '@rmk/recovery';
import { startRig, type Rig } from '@rmk/testing';
import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tinyGuest } from './tinyGuest.js';

const MS = 1e6;
const QUANTILE = 0.95;
/** 95 % within 50 ms (§4). */
const RATE_PER_MS = rateOfPercentile(QUANTILE, 50);
const LATENCY = exponentialLatency(RATE_PER_MS);

/** Whether a share that was counted agrees with a probability: five standard deviations, and one count. */
function expectShare(hits: number, trials: number, probability: number, what: string): void {
  const deviation = Math.sqrt((probability * (1 - probability)) / trials);
  expect(Math.abs(hits / trials - probability), what).toBeLessThanOrEqual(5 * deviation + 1 / trials);
}

/** Waits for an interrupt that never comes: domain time passes without instructions. */
const sleeper = tinyGuest('sleeper', [
  0x1050_0073, // wfi
  0xffdf_f06f, // j wfi
]);

/** The newest checkpoint of the whole run that was taken at or before this moment. */
function newestBefore(rig: Rig, momentNs: Nanoseconds): Nanoseconds | undefined {
  const taken = rig.events('EVT_CHECKPOINTED').map(({ checkpoint }) => checkpoint.takenAtNs);
  return taken.findLast((takenAtNs) => takenAtNs <= momentNs);
}

describe('the rule in the running system', () => {
  const settings = [5, 20, 50, 500].flatMap((intervalMs) =>
    [1, 2, 3, 4, 5, 6].map((retained) => ({ intervalMs, retained })),
  );

  it.each(settings)(
    'leads to a corrupt target as often as the model says, at $intervalMs ms with T_B = T_ck times $retained - 1',
    async ({ intervalMs, retained }) => {
      // Each cell takes the same time: the ring has to fill again for each error.
      const trials = Math.round(300 / (retained + 1));
      const boundMs = (retained - 1) * intervalMs;
      const random = seededRandom(intervalMs * 10 + retained);
      const signals =
        boundMs === 0
          ? ({ latencyBound: false } as const)
          : ({ latencyBound: { bound: `${boundMs}ms`, quantile: shareWithin(boundMs) } } as const);
      const rig = await startRig({
        ...sleeper,
        plugins: microcheckpoint({ interval: `${intervalMs}ms`, hang: false, signals }),
        record: ['EVT_CHECKPOINTED', 'EVT_RECOVERED'],
      });
      const detected = rig.domain.bus.topic('EVT_ERRORDETECTED');
      let corrupt = 0;
      for (let trial = 0; trial < trials; trial++) {
        // Until the ring is full again, then to any moment of an interval.
        await rig.advance(`${Math.round((retained + 1 + random()) * intervalMs * MS)}ns`);
        const erroneousSinceNs = rig.nowNs;
        await rig.advance(`${Math.max(1, Math.round(exponentialVariate(random, RATE_PER_MS) * MS))}ns`);
        const latency = { boundNs: boundMs * MS };
        const expectedNs = newestBefore(rig, rig.nowNs - latency.boundNs);
        detected.publish({ atNs: rig.nowNs, kind: 'test', cause: `error ${trial}`, latency });
        await rig.advance('0ms');
        const record = rig.events('EVT_RECOVERED').at(-1)?.record;
        expect(record?.trigger.cause).toBe(`error ${trial}`);
        expect(record?.rung).toBe('target');
        expect(expectedNs).toBeDefined();
        expect(record?.checkpoint?.takenAtNs).toBe(expectedNs);
        if ((record?.checkpoint?.takenAtNs ?? NaN) > erroneousSinceNs) corrupt++;
      }
      expectShare(corrupt, trials, ruleCorruption(LATENCY, { intervalMs, boundMs }), 'corrupt targets');
      await rig.stop();
    },
  );

  it('leads to the newest checkpoint that a detector knows to be healthy, whatever the bound', async () => {
    const [intervalMs, retained] = [20, 5];
    const boundMs = (retained - 1) * intervalMs;
    const rig = await startRig({
      ...sleeper,
      plugins: microcheckpoint({
        interval: `${intervalMs}ms`,
        hang: false,
        signals: { latencyBound: { bound: `${boundMs}ms`, quantile: QUANTILE } },
      }),
      record: ['EVT_CHECKPOINTED', 'EVT_RECOVERED'],
    });
    const random = seededRandom(11);
    for (let trial = 0; trial < 40; trial++) {
      await rig.advance(`${Math.round((retained + 1 + random()) * intervalMs * MS)}ns`);
      const atNs = rig.nowNs;
      // The exact moment of a checkpoint, too.
      const knownNs = atNs - Math.round(random() * boundMs * MS);
      const suspectSinceNs = (trial % 4 === 0 ? newestBefore(rig, knownNs) : undefined) ?? knownNs;
      const expectedNs = newestBefore(rig, suspectSinceNs);
      const latency = { boundNs: boundMs * MS };
      const error = { atNs, kind: 'test', cause: `error ${trial}`, latency, suspectSinceNs } as const;
      rig.domain.bus.topic('EVT_ERRORDETECTED').publish(error);
      await rig.advance('0ms');
      const record = rig.events('EVT_RECOVERED').at(-1)?.record;
      expect([record?.trigger.cause, record?.rung]).toEqual([`error ${trial}`, 'target']);
      expect(expectedNs).toBeDefined();
      expect(record?.checkpoint?.takenAtNs).toBe(expectedNs);
    }
    await rig.stop();
  });
});

/** The share of latencies that do not exceed this. */
function shareWithin(boundMs: number): number {
  return Math.min(1 - LATENCY.survival(boundMs), 1 - Number.EPSILON);
}

describe('the ladder of the running system', () => {
  it.each([
    { intervalMs: 50, boundMs: 50, retained: 2, held: 2 },
    { intervalMs: 20, boundMs: 50, retained: 6, held: 6 },
    { intervalMs: 5, boundMs: 50, retained: 11, held: 11 },
    { intervalMs: 50, boundMs: 50, retained: 2, held: 1 },
    { intervalMs: 20, boundMs: 50, retained: 4, held: 2 },
    { intervalMs: 500, boundMs: 50, retained: 2, held: 2 },
  ])('has its rungs as often as the model says, with %o', (setting) => {
    const { intervalMs, held } = setting;
    const trials = 20_000;
    const random = seededRandom(7);
    const counts = new Map<string, number>();
    for (let trial = 0; trial < trials; trial++) {
      const key = climb(held, intervalMs, setting.boundMs, random);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const outcomes = ladderOutcomes(LATENCY, { ...setting, rollbackMs: 1, restartMs: 1000 });
    for (const { rung, attempts, probability } of outcomes) {
      const key = rung === 'restart' ? rung : `${rung} ${attempts}`;
      expectShare(counts.get(key) ?? 0, trials, probability, key);
      counts.delete(key);
    }
    expect([...counts.keys()]).toEqual([]);
  });
});

/** Draws an error, and climbs the real ladder until a checkpoint is older than it. */
function climb(held: number, intervalMs: number, boundMs: number, random: () => number): string {
  const atNs = 1000 * intervalMs * MS;
  const newestAgeNs = random() * intervalMs * MS;
  const erroneousSinceNs = atNs - exponentialVariate(random, RATE_PER_MS) * MS;
  let retained: readonly Checkpoint[] = Array.from({ length: held }, (_, age) => ({
    takenAtNs: atNs - newestAgeNs - age * intervalMs * MS,
    origin: 'interval',
  }));
  let [candidate] = ladderFor(retained, atNs - boundMs * MS).candidates;
  for (let attempts = 1; candidate !== undefined; attempts++) {
    const { rung, checkpoint } = candidate;
    if (checkpoint.takenAtNs <= erroneousSinceNs) return `${rung} ${attempts}`;
    // The rollback spends its target and all that is newer; what it reopens holds the error.
    const reopened: Checkpoint = { takenAtNs: atNs, origin: 'rollback' };
    retained = [reopened, ...retained.slice(retained.indexOf(checkpoint) + 1)];
    [candidate] = ladderAgain(retained, reopened).candidates;
  }
  return 'restart';
}

describe('the risk that the agent and the preset work with', () => {
  // From 0.01 to 1000, with a logarithm that is uniform.
  const ms = fc.integer({ min: -2000, max: 3000 }).map((thousandths) => 10 ** (thousandths / 1000));
  const quantile = fc.double({ min: 0.01, max: 0.999, noNaN: true });

  it('is that of the model', () => {
    fc.assert(
      fc.property(ms, ms, quantile, (intervalMs, boundMs, share) => {
        const latency = exponentialLatency(rateOfPercentile(share, boundMs));
        const expected = ruleCorruption(latency, { intervalMs, boundMs });
        const retain = retainFor(boundMs * MS, intervalMs * MS);
        const risk = corruptionRisk(
          { boundNs: boundMs * MS, quantile: share },
          { retain, intervalNs: intervalMs * MS },
        );
        expect(Math.abs(risk - expected)).toBeLessThanOrEqual(1e-9 * expected);
        expect(Math.abs(retain - ruleRetained({ intervalMs, boundMs }))).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('gives the T_B of the model, to the nanosecond', () => {
    fc.assert(
      fc.property(ms, ms, quantile, quantile, (intervalMs, boundMs, share, risk) => {
        const latency = exponentialLatency(rateOfPercentile(share, boundMs));
        const given = boundOfRisk(risk, { boundNs: boundMs * MS, quantile: share }, intervalMs * MS);
        const expected = modelBoundOfRisk(latency, risk, intervalMs) * MS;
        expect(Math.abs(given - expected)).toBeLessThanOrEqual(1 + 1e-9 * expected);
      }),
    );
  });

  it('is that of the model for measured latencies too', () => {
    const samples = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(
        samples,
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 0, max: 300 }),
        quantile,
        (latencies, intervalMs, boundMs, risk) => {
          const latenciesNs = latencies.map((latency) => latency * MS);
          const given = measuredRisk(latenciesNs, boundMs * MS, intervalMs * MS);
          expect(given).toBeCloseTo(ruleCorruption(empiricalLatency(latencies), { intervalMs, boundMs }), 9);
          const boundNs = measuredBoundOfRisk(risk, latenciesNs, intervalMs * MS) ?? NaN;
          expect(measuredRisk(latenciesNs, boundNs, intervalMs * MS)).toBeLessThanOrEqual(risk);
          if (boundNs > 0)
            expect(measuredRisk(latenciesNs, boundNs - 1, intervalMs * MS)).toBeGreaterThan(risk);
        },
      ),
    );
  });

  it('cannot be kept where too many errors are never detected', () => {
    expect(measuredBoundOfRisk(0.4, [1e6, Infinity], 50e6)).toBeUndefined();
    expect(measuredBoundOfRisk(0.5, [1e6, Infinity], 50e6)).toBeDefined();
  });
});

describe('the figures of the READMEs', () => {
  const readmeOf = (folder: string) =>
    readFileSync(new URL(`../../${folder}/README.md`, import.meta.url), 'utf8');
  const shown = (risk: number) => `${Number((100 * risk).toPrecision(3))} %`;
  const rows = [
    ...readmeOf('packages/preset-microcheckpoint').matchAll(
      /^\| `'(\d+ms)'`[^|]*\| (\d+) +\| (\d+) to (\d+) ms +\| ([\d.]+ %)/gm,
    ),
  ].map(([, interval = '', ...figures]) => ({ interval, figures }));

  it('of the preset are there for each interval', () => {
    expect(rows.map(({ interval }) => interval)).toEqual(['5ms', '20ms', '50ms', '500ms']);
  });

  it.each(rows)('of the preset are those of a system that runs: $interval', async ({ interval, figures }) => {
    const options = { interval: interval as Duration, hang: false } as const;
    const rig = await startRig({ ...sleeper, plugins: microcheckpoint(options) });
    const { retain, intervalNs } = rig.domain.get(CHECKPOINTS);
    const [crash] = risksOf(rig.domain.get(DETECTIONS).all, { retain, intervalNs });
    const boundMs = (crash?.boundNs ?? NaN) / MS;
    expect(figures).toEqual([
      String(retain),
      String(boundMs),
      String(boundMs + intervalNs / MS),
      shown(crash?.risk ?? NaN),
    ]);
    await rig.stop();
  });

  it('of the recovery are those of eq. 5', () => {
    const text = readmeOf('plugins/recovery').replace(/\s+/g, ' ');
    const [, percent = ''] = /with ([\d.]+ %) on average over an interval of 50 ms/.exec(text) ?? [];
    const history = { retain: 1, intervalNs: 50 * MS };
    expect(shown(corruptionRisk({ boundNs: 50 * MS, quantile: QUANTILE }, history))).toBe(percent);
  });
});

it.each(['packages/model', 'plugins/recovery', 'packages/preset-microcheckpoint'])(
  '%s states the rule in the same words',
  (folder) => {
    const readme = readFileSync(new URL(`../../${folder}/README.md`, import.meta.url), 'utf8');
    expect(readme.replace(/\s+/g, ' ')).toContain(
      'The rollback target is the newest checkpoint taken at or before the moment since which the guest is suspect. ' +
        'That moment is the last sign of health where the detector knows it, and otherwise the detection less T_B, the bound on ' +
        "the error's latency that the detector states. With ⌈T_B / T_ck⌉ + 1 checkpoints retained the rule always has a target. " +
        'With T_B = T_ck it is the dual-checkpoint scheme of §4, with T_B = 0 the single-checkpoint one.',
    );
  },
);
