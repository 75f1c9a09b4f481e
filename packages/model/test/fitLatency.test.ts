import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitLatency, fitRate } from '../src/corruption/fitLatency.js';
import type { LatencyFamily } from '../src/corruption/latencyFamily.js';
import { goodnessOfFit } from '../src/corruption/goodnessOfFit.js';
import {
  exponentialLatency,
  logNormalLatency,
  weibullLatency,
} from '../src/corruption/latencyDistribution.js';
import { seededRandom } from '../src/numerics/random.js';

const samples = fc.array(fc.double({ min: 0.01, max: 500, noNaN: true }), { minLength: 3, maxLength: 40 });

/** The densities, written out a second time. */
const logDensity: Record<LatencyFamily, (p: Readonly<Record<string, number>>, l: number) => number> = {
  exponential: ({ ratePerMs = 0 }, l) => Math.log(ratePerMs) - ratePerMs * l,
  weibull: ({ shape = 0, scaleMs = 0 }, l) =>
    Math.log(shape / scaleMs) + (shape - 1) * Math.log(l / scaleMs) - (l / scaleMs) ** shape,
  'log-normal': ({ logMean = 0, logDeviation = 0 }, l) =>
    -Math.log(l * logDeviation * Math.sqrt(2 * Math.PI)) - ((Math.log(l) - logMean) / logDeviation) ** 2 / 2,
};

describe('a fit by maximum likelihood', () => {
  it.each(['exponential', 'weibull', 'log-normal'] as const)(
    '%s: no nearby parameters are likelier',
    (family) => {
      fc.assert(
        fc.property(samples, (ls) => {
          fc.pre(Math.max(...ls) / Math.min(...ls) > 1.01);
          const fit = fitLatency(family, ls);
          const likelihood = (p: Readonly<Record<string, number>>) =>
            ls.reduce((sum, l) => sum + logDensity[family](p, l), 0);
          expect(likelihood(fit.parameters)).toBeCloseTo(fit.logLikelihood, 6);
          for (const [name, value] of Object.entries(fit.parameters)) {
            for (const factor of [0.99, 1.01]) {
              expect(likelihood({ ...fit.parameters, [name]: value * factor })).toBeLessThanOrEqual(
                fit.logLikelihood + 1e-7,
              );
            }
          }
        }),
      );
    },
  );

  it('keeps the share that was never detected', () => {
    const fit = fitLatency('exponential', [10, 20, 30, Infinity]);
    expect(fit.parameters['ratePerMs']).toBe(0.05);
    expect(fit.all.survival(1e12)).toBe(0.25);
    expect(fit.all.corruption(50, 2)).toBeCloseTo(
      0.25 + 0.75 * exponentialLatency(0.05).corruption(50, 2),
      14,
    );
  });

  it('says why it cannot be done', () => {
    expect(() => fitLatency('exponential', [Infinity])).toThrow(/none of the errors was ever detected/);
    expect(() => fitLatency('exponential', [0, 0])).toThrow(/all latencies are zero/);
    expect(() => fitRate([5e-324, 1e-320])).toThrow(/rate fitted .* not Infinity/);
    expect(() => fitLatency('weibull', [0, 1, 2])).toThrow(/cannot be fitted to latencies of zero/);
    expect(() => fitLatency('log-normal', [3, 3, 3])).toThrow(/all equal/);
    expect(() => fitLatency('weibull', [0.01, 0.01, 0.010000000000000002])).toThrow(/all equal/);
  });
});

describe('the interval of λ', () => {
  it('covers the true rate in 95 of 100 experiments, even of 3 samples', () => {
    const random = seededRandom(5);
    const truth = exponentialLatency(0.0599);
    const experiments = 4000;
    let covered = 0;
    for (let i = 0; i < experiments; i++) {
      const { low, high } = fitRate([truth.sample(random), truth.sample(random), truth.sample(random)]);
      if (low <= 0.0599 && 0.0599 <= high) covered++;
    }
    // Four standard deviations of a binomial share.
    expect(Math.abs(covered / experiments - 0.95)).toBeLessThan(4 * Math.sqrt((0.95 * 0.05) / experiments));
  });
});

describe("Anderson and Darling's test", () => {
  const random = seededRandom(21);
  const draw = (n: number, latency: { sample(r: () => number): number }) =>
    Array.from({ length: n }, () => latency.sample(random));

  it('rejects the exponential for long-tailed latencies, and accepts the family that they come from', () => {
    const weibull = draw(300, weibullLatency(0.5, 20));
    expect(goodnessOfFit('exponential', weibull, { replications: 199 })?.pValue).toBe(1 / 200);
    expect(goodnessOfFit('weibull', weibull, { replications: 199 })?.pValue).toBeGreaterThan(0.05);
    const logNormal = draw(300, logNormalLatency(2, 1));
    expect(goodnessOfFit('exponential', logNormal, { replications: 199 })?.pValue).toBeLessThan(0.05);
    expect(goodnessOfFit('log-normal', logNormal, { replications: 199 })?.pValue).toBeGreaterThan(0.05);
  });

  it('has p-values that are uniform when the hypothesis is true', () => {
    const experiments = 200;
    const rejected = Array.from({ length: experiments }, () =>
      goodnessOfFit('exponential', draw(25, exponentialLatency(0.06)), { replications: 99, seed: 3 }),
    ).filter((test) => (test?.pValue ?? 0) <= 0.1).length;
    expect(Math.abs(rejected / experiments - 0.1)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / experiments));
  });

  it('draws 99 samples at least, however few are asked for, and no more than that of very many latencies', () => {
    expect(goodnessOfFit('exponential', draw(30, exponentialLatency(1)), { replications: 1 })).toMatchObject({
      replications: 99,
      tested: 30,
    });
    const many = draw(5000, exponentialLatency(1));
    expect(goodnessOfFit('exponential', many, { replications: 999 })?.replications).toBe(400);
  });

  it('is not run on fewer than five latencies nor on zeros, and repeats itself for a seed', () => {
    expect(goodnessOfFit('exponential', [1, 2, 3, 4, Infinity])).toBeUndefined();
    expect(goodnessOfFit('exponential', [0, 1, 2, 3, 4, 5])).toBeUndefined();
    const ls = draw(30, exponentialLatency(1));
    expect(goodnessOfFit('exponential', ls, { seed: 9 })).toEqual(
      goodnessOfFit('exponential', ls, { seed: 9 }),
    );
  });
});
