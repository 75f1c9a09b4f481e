import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adaptiveSilence, fixedSilence, LEARNED_AFTER } from '../src/allowedSilence.js';
import { ObservedSilences } from '../src/observedSilences.js';

const MS = 1e6;
const SLICE_NS = 10 * MS;

function observed(silencesNs: readonly number[]): ObservedSilences {
  const silences = new ObservedSilences();
  for (const silenceNs of silencesNs) silences.add(silenceNs);
  return silences;
}

/** Numbers that repeat in each run (Park and Miller's generator). */
function uniform(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

describe('the adaptive threshold', () => {
  const wide = { atLeast: '1us', atMost: '1000s' } as const;

  it('lies within its bounds, and at the upper one until enough silences are observed', () => {
    const bounds = fc.record({
      leastMs: fc.integer({ min: 1, max: 500 }),
      moreMs: fc.integer({ min: 0, max: 500 }),
      silencesNs: fc.array(fc.integer({ min: 1, max: 1000 * MS }), { maxLength: 2 * LEARNED_AFTER }),
      falsePositiveRate: fc.double({ min: 1e-9, max: 0.5, noNaN: true }),
    });
    fc.assert(
      fc.property(bounds, ({ leastMs, moreMs, silencesNs, falsePositiveRate }) => {
        const [atLeast, atMost] = [`${leastMs}ms`, `${leastMs + moreMs}ms`] as const;
        const allowed = adaptiveSilence({ atLeast, atMost, falsePositiveRate }, SLICE_NS);
        const afterNs = allowed.after(observed(silencesNs));
        expect(allowed.longestNs).toBe((leastMs + moreMs) * MS);
        expect(afterNs).toBeGreaterThanOrEqual(leastMs * MS);
        expect(afterNs).toBeLessThanOrEqual(allowed.longestNs);
        if (silencesNs.length < LEARNED_AFTER) expect(afterNs).toBe(allowed.longestNs);
      }),
    );
  });

  it('is the mean and √((1 - p) / p) deviations and a slice: 20 ms ± 1 ms, p = 1 %', () => {
    const silences = observed(
      Array.from({ length: LEARNED_AFTER }, (_, index) => (index % 2 === 0 ? 19 : 21) * MS),
    );
    const allowedNs = adaptiveSilence({ ...wide, falsePositiveRate: 0.01 }, SLICE_NS).after(silences);
    // √99 deviations of √(100 / 99) ms are 10 ms.
    expect(allowedNs).toBe(40 * MS);
  });

  it('of a regular heart is one beat and one slice', () => {
    const silences = observed(Array<number>(LEARNED_AFTER).fill(20 * MS));
    expect(adaptiveSilence({ ...wide, falsePositiveRate: 1e-6 }, SLICE_NS).after(silences)).toBe(30 * MS);
  });

  it('falls with the accepted rate', () => {
    const rate = fc.double({ min: 1e-9, max: 0.5, noNaN: true });
    const silences = observed(Array.from({ length: 200 }, (_, index) => (1 + (index % 7)) * MS));
    const at = (falsePositiveRate: number) =>
      adaptiveSilence({ ...wide, falsePositiveRate }, 0).after(silences);
    fc.assert(
      fc.property(rate, rate, (one, other) => {
        expect(at(Math.min(one, other))).toBeGreaterThanOrEqual(at(Math.max(one, other)));
      }),
    );
  });

  const random = uniform(1);
  it.each([
    ['regular', () => 20],
    ['uniform', () => 10 + 20 * random()],
    ['exponential', () => -20 * Math.log(1 - random())],
    ['of two kinds', () => (random() < 0.1 ? 100 : 10)],
    ['long-tailed (Pareto, α = 3)', () => 10 * (1 - random()) ** (-1 / 3)],
    ['worst for the inequality: p of them at its very bound', () => (random() < 0.01 ? 110 : 10)],
  ])('is exceeded by no more than the accepted share of silences that are %s', (_, draw) => {
    const falsePositiveRate = 0.01;
    const allowed = adaptiveSilence({ ...wide, falsePositiveRate }, 0);
    const silences = new ObservedSilences();
    const trials = 20_000;
    let exceeded = 0;
    for (let trial = 0; trial < trials + 1000; trial++) {
      const silenceNs = Math.round(draw() * MS);
      if (trial >= 1000 && silenceNs > allowed.after(silences)) exceeded++;
      silences.add(silenceNs);
    }
    const deviation = Math.sqrt((falsePositiveRate * (1 - falsePositiveRate)) / trials);
    expect(exceeded / trials).toBeLessThanOrEqual(falsePositiveRate + 5 * deviation);
  });

  it('knows nothing of silences rarer than those it has seen, whatever rate is asked for', () => {
    const silences = observed(Array<number>(LEARNED_AFTER).fill(20 * MS));
    expect(adaptiveSilence({ ...wide, falsePositiveRate: 1e-9 }, 0).after(silences)).toBeLessThan(100 * MS);
  });
});

it('a fixed silence is that silence whatever was observed', () => {
  const allowed = fixedSilence(70 * MS);
  expect([allowed.longestNs, allowed.after(observed(Array<number>(500).fill(MS)))]).toEqual([
    70 * MS,
    70 * MS,
  ]);
});
