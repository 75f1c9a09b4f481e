import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cureShare } from '../src/corruption/cureModel.js';
import { empiricalLatency } from '../src/corruption/empiricalLatency.js';
import { fitLatency, fitRate } from '../src/corruption/fitLatency.js';
import { goodnessOfFit } from '../src/corruption/goodnessOfFit.js';
import { kaplanMeier, redistribute } from '../src/corruption/kaplanMeier.js';
import { LATENCY_FAMILIES } from '../src/corruption/latencyFamily.js';
import {
  exponentialLatency,
  type LatencyDistribution,
  logNormalLatency,
  weibullLatency,
} from '../src/corruption/latencyDistribution.js';
import { type LatencySample, sortSamples } from '../src/corruption/latencySample.js';
import { parseLatencySamples } from '../src/corruption/latencySamples.js';
import { analyseSamples } from '../src/corruption/sampleAnalysis.js';
import { sampleRuleCorruption } from '../src/corruption/sampleCorruption.js';
import { seededRandom } from '../src/numerics/random.js';
import { uniform } from './generators.js';

/**
 * `n` errors of this latency, each watched for `windowMs`; a share `never` of them is never detected, and nobody knows
 * which.
 */
function campaign(
  law: LatencyDistribution,
  n: number,
  windowMs: number,
  seed: number,
  never = 0,
): LatencySample[] {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => {
    const l = random() < never ? Infinity : law.sample(random);
    return l > windowMs ? { longerThanMs: windowMs } : l;
  });
}

const anySample: fc.Arbitrary<LatencySample> = fc.oneof(
  fc.integer({ min: 0, max: 30 }).map((l) => l * 10),
  fc.integer({ min: 0, max: 30 }).map((l) => ({ longerThanMs: l * 10 })),
  fc.constant(Infinity),
);
const anySamples = fc.array(anySample, { minLength: 1, maxLength: 25 });

describe('a sample file with errors that the experiment cut off', () => {
  it('writes them as >250, apart from inf', () => {
    const { samples } = parseLatencySamples('# injection to detection\n12.5\n>250\n> 1e3\ninf\n');
    expect(samples).toEqual([12.5, { longerThanMs: 250 }, { longerThanMs: 1000 }, Infinity]);
  });

  it('is refused where the time is none', () => {
    for (const line of ['>', '>inf', '>-3', '>>3', '<250', '>1e999']) {
      expect(() => parseLatencySamples(`# injection to detection\n1\n${line}\n`)).toThrow(/line 3: .*>250/);
    }
  });
});

describe('Kaplan and Meier’s estimate', () => {
  it('is that of the textbook: remission times of 21 leukaemia patients (Freireich et al., 1963)', () => {
    const detected = [6, 6, 6, 7, 10, 13, 16, 22, 23];
    const censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35];
    const steps = kaplanMeier([...detected, ...censored.map((longerThanMs) => ({ longerThanMs }))]);
    expect(steps.map(({ latencyMs, survival }) => [latencyMs, Number(survival.toFixed(4))])).toEqual([
      [6, 0.8571],
      [7, 0.8067],
      [10, 0.7529],
      [13, 0.6902],
      [16, 0.6275],
      [22, 0.5378],
      [23, 0.4482],
    ]);
    // Greenwood's standard error at 10 is 0.0963; on the scale of ln(-ln S) the 95 % interval is 0.5032 to 0.8894.
    const { low, high } = steps[2] ?? { low: 0, high: 0 };
    expect(low).toBeCloseTo(0.5032, 3);
    expect(high).toBeCloseTo(0.8894, 3);
  });

  it('is the plain share without censoring', () => {
    const steps = kaplanMeier([5, 5, 20, Infinity]);
    expect(steps.map(({ latencyMs, survival }) => [latencyMs, survival])).toEqual([
      [5, 0.5],
      [20, 0.25],
    ]);
  });

  it('is the survival of the empirical distribution, and its masses sum to the samples', () => {
    fc.assert(
      fc.property(anySamples, (samples) => {
        const law = empiricalLatency(samples);
        for (const { latencyMs, survival, low, high } of kaplanMeier(samples)) {
          expect(law.survival(latencyMs)).toBeCloseTo(survival, 12);
          expect(low).toBeLessThanOrEqual(survival + 1e-15);
          expect(high).toBeGreaterThanOrEqual(survival - 1e-15);
        }
        const { masses, never, beyond } = redistribute(sortSamples(samples));
        expect(masses.reduce((sum, mass) => sum + mass, never + beyond)).toBeCloseTo(samples.length, 10);
      }),
    );
  });

  it('draws samples whose shares are its survival, and ages that are clean as a sum over its masses says', () => {
    const samples: LatencySample[] = [10, { longerThanMs: 20 }, 40, 70, { longerThanMs: 90 }, 120, Infinity];
    const law = empiricalLatency(samples);
    const random = seededRandom(3);
    const drawn = Array.from({ length: 40_000 }, () => law.sample(random));
    for (const u of [5, 10, 50, 100, 1e6]) {
      const p = law.survival(u);
      expect(Math.abs(drawn.filter((l) => l > u).length / drawn.length - p)).toBeLessThan(
        4.5 * Math.sqrt((p * (1 - p)) / drawn.length) + 1e-12,
      );
    }
    const { latenciesMs, masses } = redistribute(sortSamples(samples));
    const clean = masses.reduce((sum, mass, i) => {
      const from = Math.max(30, latenciesMs[i] ?? 0);
      return from >= 80 ? sum : (sum + mass * (80 * 80 - from * from)) / 1;
    }, 0);
    expect(law.cleanAgeFrom(30, 50)).toBeCloseTo(clean / (2 * 50) / samples.length, 10);
  });

  it('says of how many latencies it is, and how many of them are right-censored', () => {
    expect(empiricalLatency([1, 2]).description).toBe('2 measured latencies');
    expect(empiricalLatency([1, 2, { longerThanMs: 3 }]).description).toBe(
      '3 measured latencies, 1 of them right-censored',
    );
  });

  it('refuses samples that are none', () => {
    expect(() => kaplanMeier([])).toThrow(/at least one is needed/);
    expect(() => empiricalLatency([-1])).toThrow(/from zero up, not -1/);
    expect(() => empiricalLatency([{ longerThanMs: Infinity }])).toThrow(/not Infinity/);
    expect(() => empiricalLatency([{ longerThanMs: Number.NaN }])).toThrow(/not NaN/);
  });
});

describe('fits to censored samples', () => {
  it('find λ = 0.0100 of an exponential of mean 100 ms in a window of 250 ms, and not the 0.0129 of the detected ones alone', () => {
    // The quantiles of the distribution, so that nothing is left to chance.
    const latencies = Array.from({ length: 4000 }, (_, i) => -100 * Math.log((i + 0.5) / 4000));
    const samples = latencies.map((l) => (l > 250 ? { longerThanMs: 250 } : l));
    expect(fitRate(samples).value).toBeCloseTo(0.01, 4);
    expect(fitLatency('exponential', samples).parameters['ratePerMs']).toBeCloseTo(0.01, 4);
    const detected = samples.filter((sample) => typeof sample === 'number');
    expect(samples.length - detected.length).toBe(328);
    // The mean of those within the window is 100 - 250 / (e^2.5 - 1) = 77.6 ms.
    expect(fitRate(detected).value).toBeCloseTo(1 / (100 - 250 / Math.expm1(2.5)), 5);
    const { low, high } = fitRate(samples);
    expect(low).toBeLessThan(0.01);
    expect(high).toBeGreaterThan(0.01);
  });

  it.each([
    { family: 'weibull', law: weibullLatency(0.6, 80), truth: { shape: 0.6, scaleMs: 80 } },
    { family: 'log-normal', law: logNormalLatency(4, 1.2), truth: { logMean: 4, logDeviation: 1.2 } },
  ] as const)(
    'find the parameters of a $family latency that half of the errors outlast',
    ({ family, law, truth }) => {
      const { parameters } = fitLatency(family, campaign(law, 20_000, 60, 2));
      for (const [name, value] of Object.entries(truth)) {
        expect(Math.abs((parameters[name] ?? 0) / value - 1), name).toBeLessThan(0.05);
      }
    },
  );

  it.each(LATENCY_FAMILIES)('%s: no nearby parameters are likelier', (family) => {
    const law = {
      exponential: exponentialLatency(0.02),
      weibull: weibullLatency(0.7, 50),
      'log-normal': logNormalLatency(3, 1),
    }[family];
    const samples = [...campaign(law, 60, 40, 3), ...campaign(law, 40, 90, 4)];
    for (const undetected of ['known', 'estimated'] as const) {
      const fit = fitLatency(family, samples, { undetected });
      const at = (parameters: Readonly<Record<string, number>>, share: number) =>
        likelihood(family, parameters, share, samples);
      expect(at(fit.parameters, fit.undetected)).toBeCloseTo(fit.logLikelihood, 6);
      const slack = 1e-5;
      for (const [name, value] of Object.entries(fit.parameters)) {
        for (const factor of [0.99, 1.01]) {
          expect(at({ ...fit.parameters, [name]: value * factor }, fit.undetected)).toBeLessThanOrEqual(
            fit.logLikelihood + slack,
          );
        }
      }
      if (undetected === 'estimated') {
        for (const share of [fit.undetected * 0.98, Math.min(0.999, fit.undetected + 0.01)]) {
          expect(at(fit.parameters, share)).toBeLessThanOrEqual(fit.logLikelihood + slack);
        }
      }
      const count = Object.keys(fit.parameters).length + (undetected === 'estimated' ? 1 : 0);
      expect(fit.akaike).toBeCloseTo(2 * count - 2 * fit.logLikelihood, 12);
    }
  });

  it('count known undetected errors as a class of their own, whose share is a parameter more', () => {
    const samples = [10, 20, 30, Infinity];
    const fit = fitLatency('exponential', samples);
    expect(fit.undetected).toBe(0.25);
    expect(fit.logLikelihood).toBeCloseTo(likelihood('exponential', { ratePerMs: 0.05 }, 0.25, samples), 8);
    expect(fit.akaike).toBeCloseTo(4 - 2 * fit.logLikelihood, 12);
  });

  it('say nothing of errors that were censored at once', () => {
    for (const family of LATENCY_FAMILIES) {
      const samples = campaign(exponentialLatency(0.02), 50, 60, 5);
      const more = fitLatency(family, [...samples, { longerThanMs: 0 }]);
      for (const [name, value] of Object.entries(fitLatency(family, samples).parameters)) {
        expect(more.parameters[name]).toBeCloseTo(value, 10);
      }
    }
  });
});

/** ln of the likelihood, written out again: densities, survivals, and a share that is never detected. */
function likelihood(
  family: 'exponential' | 'weibull' | 'log-normal',
  p: Readonly<Record<string, number>>,
  share: number,
  samples: readonly LatencySample[],
): number {
  const { ratePerMs = 0, shape = 0, scaleMs = 1, logMean = 0, logDeviation = 1 } = p;
  const law = {
    exponential: () => exponentialLatency(ratePerMs),
    weibull: () => weibullLatency(shape, scaleMs),
    'log-normal': () => logNormalLatency(logMean, logDeviation),
  }[family]();
  const step = 1e-5;
  return samples.reduce<number>((sum, sample) => {
    if (sample === Infinity) return sum + Math.log(share);
    if (typeof sample !== 'number')
      return sum + Math.log(share + (1 - share) * law.survival(sample.longerThanMs));
    // The density as the slope of the survival.
    const width = sample * step;
    const density = (law.survival(sample - width) - law.survival(sample + width)) / (2 * width);
    return sum + Math.log((1 - share) * density);
  }, 0);
}

describe('the share that is never detected', () => {
  it('is found beside the latency: 20 % among errors that a window cuts off', () => {
    const samples = campaign(exponentialLatency(0.02), 3000, 250, 6, 0.2);
    const { value, low, high } = cureShare('exponential', samples);
    expect(low).toBeLessThan(0.2);
    expect(high).toBeGreaterThan(0.2);
    expect(Math.abs(value - 0.2)).toBeLessThan(0.03);
    expect(high - low).toBeLessThan(0.05);
    const fit = fitLatency('exponential', samples, { undetected: 'estimated' });
    expect(Math.abs((fit.parameters['ratePerMs'] ?? 0) / 0.02 - 1)).toBeLessThan(0.06);
    expect(fit.akaike).toBeLessThan(fitLatency('exponential', samples).akaike);
    expect(fit.all.survival(1e9)).toBeCloseTo(fit.undetected, 12);
  });

  it('has an interval that covers the truth in 95 of 100 experiments, and reaches down to none', () => {
    const experiments = 60;
    for (const never of [0, 0.15]) {
      let covered = 0;
      for (let seed = 0; seed < experiments; seed++) {
        const { low, high } = cureShare(
          'exponential',
          campaign(exponentialLatency(0.02), 80, 100, 100 + seed, never),
        );
        if (low <= never && never <= high) covered++;
      }
      expect(covered / experiments).toBeGreaterThan(0.95 - 4 * Math.sqrt((0.95 * 0.05) / experiments));
    }
  });

  it('is the known one, with Wilson’s interval, where nothing was cut off', () => {
    const { value, low, high } = cureShare('weibull', [1, 2, 3, 4, 5, 6, 7, Infinity]);
    expect(value).toBe(0.125);
    expect(low).toBeCloseTo(0.0224, 4);
    expect(high).toBeCloseTo(0.4709, 4);
  });

  it('holds at least the errors that are known never to be detected', () => {
    const { value, low } = cureShare('exponential', [
      ...campaign(exponentialLatency(0.05), 40, 100, 8),
      ...Array.from({ length: 10 }, () => Infinity),
    ]);
    expect(value).toBeGreaterThan(0.15);
    expect(low).toBeGreaterThan(0.05);
  });

  it('takes thousands of distinct latencies together, without moving', () => {
    const samples = campaign(weibullLatency(0.8, 40), 4000, 200, 9, 0.1);
    const { value } = cureShare('weibull', samples);
    expect(
      Math.abs(value - fitLatency('weibull', samples, { undetected: 'estimated' }).undetected),
    ).toBeLessThan(2e-3);
  });
});

describe('corruption measured with censored samples', () => {
  it('is the mean of clip((l - T_B) / T_ck, 0, 1) over the Kaplan-Meier masses, what lies beyond counting as corrupted', () => {
    const samples: LatencySample[] = [10, 30, { longerThanMs: 60 }, 80, 120, { longerThanMs: 130 }];
    const rule = { intervalMs: 50, boundMs: 50 };
    // One sixth each, then (1/6) (1/3) more from the one cut off at 60 to 80, 120 and 130.
    const each = 1 / 6 + 1 / 18;
    expect(sampleRuleCorruption(samples, rule).value).toBeCloseTo(each * (0.6 + 1 + 1), 12);
  });

  it('has an interval that covers the truth in 95 of 100 experiments, where the window hides what the rule needs and where not', () => {
    const law = exponentialLatency(0.02);
    const rule = { intervalMs: 50, boundMs: 20 };
    const truth = law.corruptionFrom(20, 50);
    for (const windowMs of [40, 90]) {
      let covered = 0;
      const experiments = 120;
      for (let seed = 0; seed < experiments; seed++) {
        const { low, high, value } = sampleRuleCorruption(campaign(law, 40, windowMs, 500 + seed), rule, {
          replications: 200,
          seed,
        });
        expect(low).toBeLessThanOrEqual(value);
        if (low <= truth && truth <= high) covered++;
      }
      expect(covered / experiments).toBeGreaterThan(0.9);
    }
  });

  it('leaves uncensored samples exactly as they are', () => {
    fc.assert(
      fc.property(fc.array(uniform(0, 200), { minLength: 1, maxLength: 20 }), (latencies) => {
        const { masses, never, beyond } = redistribute(sortSamples(latencies));
        expect([...masses]).toEqual(latencies.map(() => 1));
        expect([never, beyond]).toEqual([0, 0]);
      }),
    );
  });
});

describe('goodness of fit of many samples', () => {
  it('tests 10 000 of them with 200 replications, however many there are, and says how far it is', () => {
    const samples = campaign(exponentialLatency(0.02), 1_000_000, Infinity, 7);
    const shares: number[] = [];
    const fit = goodnessOfFit('exponential', samples, { progress: (share) => shares.push(share) });
    expect(fit).toMatchObject({ tested: 10_000, replications: 200 });
    expect(fit?.pValue).toBeGreaterThan(0.05);
    expect(shares).toEqual([0.25, 0.5, 0.75]);
  });
});

describe('goodness of fit of censored samples', () => {
  it('accepts the family that they come from, and rejects another', () => {
    const samples = campaign(weibullLatency(0.5, 40), 400, 100, 16);
    expect(goodnessOfFit('weibull', samples, { replications: 99 })?.pValue).toBeGreaterThan(0.05);
    expect(goodnessOfFit('exponential', samples, { replications: 99 })?.pValue).toBe(0.01);
  });

  it('has p-values that are uniform under the hypothesis', () => {
    const experiments = 100;
    const rejected = Array.from({ length: experiments }, (_, seed) =>
      goodnessOfFit('exponential', campaign(exponentialLatency(0.02), 40, 60, 900 + seed), {
        replications: 99,
        seed,
      }),
    ).filter((test) => (test?.pValue ?? 0) <= 0.1).length;
    expect(Math.abs(rejected / experiments - 0.1)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / experiments));
  });

  describe('among which a share is never detected', () => {
    const cured = (law: LatencyDistribution, n: number, seed: number) => campaign(law, n, 100, seed, 0.25);

    it('accepts the family that the others come from, and rejects another', () => {
      const samples = cured(weibullLatency(0.5, 20), 200, 40);
      const options = { replications: 99, undetected: 'estimated' } as const;
      expect(goodnessOfFit('weibull', samples, options)?.pValue).toBeGreaterThan(0.05);
      expect(goodnessOfFit('exponential', samples, options)?.pValue).toBe(0.01);
      // Where every error is to be detected some day, no exponential has such a tail.
      const exponential = cured(exponentialLatency(0.05), 300, 41);
      expect(goodnessOfFit('exponential', exponential, options)?.pValue).toBeGreaterThan(0.05);
      expect(goodnessOfFit('exponential', exponential, { replications: 99 })?.pValue).toBe(0.01);
    });

    it('has p-values that are uniform under the hypothesis', () => {
      const experiments = 60;
      const rejected = Array.from({ length: experiments }, (_, seed) =>
        goodnessOfFit('exponential', cured(exponentialLatency(0.03), 40, 1200 + seed), {
          replications: 99,
          undetected: 'estimated',
          seed,
        }),
      ).filter((test) => (test?.pValue ?? 0) <= 0.1).length;
      expect(rejected).toBeGreaterThan(0);
      expect(Math.abs(rejected / experiments - 0.1)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / experiments));
    });

    it('keeps the errors that are known never to be detected, and works without any window', () => {
      const random = seededRandom(42);
      const law = exponentialLatency(0.05);
      const samples = Array.from({ length: 200 }, () => (random() < 0.3 ? Infinity : law.sample(random)));
      const options = { replications: 99, undetected: 'estimated' } as const;
      const test = goodnessOfFit('exponential', samples, options);
      expect(test).toMatchObject({ tested: 200 });
      expect(test?.pValue).toBeGreaterThan(0.05);
      const plain = goodnessOfFit('exponential', samples, { replications: 99 });
      expect(test?.statistic).toBeCloseTo(plain?.statistic ?? 0, 9);
    });
  });

  it('is not run on errors that were watched for different times, or cut off before the longest latency', () => {
    const samples = campaign(exponentialLatency(0.02), 30, 60, 12);
    expect(goodnessOfFit('exponential', [...samples, { longerThanMs: 50 }])).toBeUndefined();
    expect(goodnessOfFit('exponential', [1, 2, 3, 4, 90, { longerThanMs: 60 }])).toBeUndefined();
    expect(goodnessOfFit('exponential', [Infinity])).toBeUndefined();
  });

  it('tests so many of 50 000 samples as it has time for, says so, and reports its progress', () => {
    const random = seededRandom(13);
    const samples = Array.from({ length: 50_000 }, () => exponentialLatency(0.06).sample(random));
    const seen: number[] = [];
    const test = goodnessOfFit('exponential', samples, {
      progress: (share) => void seen.push(share),
      atMost: 1000,
      replications: 120,
    });
    expect(test).toMatchObject({ tested: 1000, replications: 120 });
    expect(test?.pValue).toBeGreaterThan(0.01);
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });
});

describe('the analysis of samples', () => {
  it('takes the fit with a share that is never detected where that is the better one', () => {
    const cured = analyseSamples(
      campaign(exponentialLatency(0.05), 300, 250, 14, 0.2),
      { intervalMs: 50, boundMs: 50 },
      { replications: 0 },
    );
    const [fit] = cured.fits;
    expect(fit?.undetected).toBeGreaterThan(0.1);
    expect(fit?.probability).toBeGreaterThan(0.1);
    expect(cured.undetected?.low).toBeGreaterThan(0.1);
    const plain = analyseSamples(
      campaign(exponentialLatency(0.05), 300, 30, 15),
      { intervalMs: 50, boundMs: 50 },
      { replications: 0 },
    );
    expect(plain.undetected?.low).toBe(0);
    expect(plain).toMatchObject({ count: 300, neverDetected: 0 });
    expect(plain.detected + plain.censored).toBe(300);
  });

  it('tests the fit that it takes, also where that has a share that is never detected', () => {
    const { fits } = analyseSamples(
      campaign(exponentialLatency(0.05), 200, 250, 14, 0.2),
      { intervalMs: 50, boundMs: 50 },
      { replications: 99 },
    );
    const [exponential] = fits;
    expect(exponential?.undetected).toBeGreaterThan(0.1);
    expect(exponential?.goodnessOfFit?.pValue).toBeGreaterThan(0.05);
  });

  it('shows the survival at 200 steps at most, the last one included', () => {
    const samples = Array.from({ length: 1000 }, (_, i) => i + 1);
    const { survival } = analyseSamples(samples, { intervalMs: 50, boundMs: 0 }, { replications: 0 });
    expect(survival.length).toBeLessThanOrEqual(201);
    expect(survival.at(-1)).toMatchObject({ latencyMs: 1000, survival: 0 });
  });

  it('says of each family why it cannot be fitted', () => {
    const { fits, undetected, ratePerMs } = analyseSamples([Infinity], { intervalMs: 50, boundMs: 0 });
    expect(fits.map(({ problem }) => problem)).toEqual(
      Array.from({ length: 3 }, () => expect.stringMatching(/none of the errors/) as string),
    );
    expect([undetected, ratePerMs]).toEqual([undefined, undefined]);
  });
});
