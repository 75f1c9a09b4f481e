import { ModelError } from '../errors.js';
import type { Estimate } from '../numerics/interval.js';
import { cureShare } from './cureModel.js';
import { fitLatency, type LatencyFit, fitRate } from './fitLatency.js';
import { goodnessOfFit, type GoodnessOfFit, type GoodnessOptions } from './goodnessOfFit.js';
import { kaplanMeier, type SurvivalStep } from './kaplanMeier.js';
import { LATENCY_FAMILIES, type LatencyFamily } from './latencyFamily.js';
import { type LatencySample, sortSamples } from './latencySample.js';
import type { RollbackRule } from './rollbackRule.js';
import { sampleRuleCorruption } from './sampleCorruption.js';

/** A family fitted to samples, or why it cannot be. */
export interface FittedFamily {
  readonly family: LatencyFamily;
  readonly parameters?: Readonly<Record<string, number>>;
  /** The share of errors that are never detected, under this fit. */
  readonly undetected?: number;
  /** The probability of corruption under this fit. */
  readonly probability?: number;
  readonly akaike?: number;
  readonly goodnessOfFit?: GoodnessOfFit;
  readonly problem?: string;
}

export interface SampleAnalysis {
  readonly count: number;
  readonly detected: number;
  readonly censored: number;
  readonly neverDetected: number;
  /** λ, if exponential. */
  readonly ratePerMs?: Estimate;
  /** The share of errors that are never detected, under the family with the lowest Akaike criterion. */
  readonly undetected?: Estimate & { readonly family: LatencyFamily };
  /** The probability of corruption with no family assumed. */
  readonly measured: Estimate;
  /** In the order of {@link LATENCY_FAMILIES}. */
  readonly fits: readonly FittedFamily[];
  /** Kaplan and Meier's estimate, at 200 steps at most. */
  readonly survival: readonly SurvivalStep[];
}

const MOST_STEPS = 200;

/**
 * What measured latencies say: the corruption by the rule with no family assumed, and a fit of each family. With
 * right-censored samples a family is fitted with and without a share of errors that are never detected, and the fit
 * with the lower Akaike criterion is taken.
 */
export function analyseSamples(
  samples: readonly LatencySample[],
  rule: RollbackRule,
  options: GoodnessOptions = {},
): SampleAnalysis {
  const { count, detectedMs, censoredMs, never } = sortSamples(samples);
  const fits = LATENCY_FAMILIES.map((family): FittedFamily => {
    try {
      const fit = bestFit(family, samples, censoredMs.length > 0);
      const undetected = fit.undetected === never / count ? 'known' : 'estimated';
      const fitness =
        options.replications === 0 ? undefined : goodnessOfFit(family, samples, { ...options, undetected });
      return {
        family,
        parameters: fit.parameters,
        undetected: fit.undetected,
        probability: fit.all.corruptionFrom(rule.boundMs, rule.intervalMs),
        akaike: fit.akaike,
        ...(fitness === undefined ? {} : { goodnessOfFit: fitness }),
      };
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      return { family, problem: error.message };
    }
  });
  const best = fits.reduce((a, b) => ((b.akaike ?? Infinity) < (a.akaike ?? Infinity) ? b : a));
  const steps = kaplanMeier(samples);
  const every = Math.ceil(steps.length / MOST_STEPS);
  const { seed } = options;
  return {
    count,
    detected: detectedMs.length,
    censored: censoredMs.length,
    neverDetected: never,
    ...(best.akaike === undefined
      ? {}
      : {
          ratePerMs: fitRate(samples),
          undetected: { ...cureShare(best.family, samples), family: best.family },
        }),
    measured: sampleRuleCorruption(samples, rule, seed === undefined ? {} : { seed }),
    fits,
    survival: steps.filter((_, index) => index % every === 0 || index === steps.length - 1),
  };
}

function bestFit(family: LatencyFamily, samples: readonly LatencySample[], censored: boolean): LatencyFit {
  const plain = fitLatency(family, samples);
  if (!censored) return plain;
  const cured = fitLatency(family, samples, { undetected: 'estimated' });
  return cured.akaike < plain.akaike ? cured : plain;
}
