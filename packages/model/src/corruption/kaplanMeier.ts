import { normalHalfWidth } from '../numerics/normal.js';
import { type LatencySample, type SortedSamples, sortSamples } from './latencySample.js';

/** Where the estimated survival falls, and how far. */
export interface SurvivalStep {
  readonly latencyMs: number;
  /** The estimate of P(l > latencyMs). */
  readonly survival: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Kaplan and Meier's estimate of P(l > u) from samples of which some are right-censored, a step for each detected
 * latency. Its intervals are Greenwood's on the scale of ln(-ln S), which stay within 0 and 1. Errors that are known
 * never to be detected stay at risk forever. Beyond the last censored sample the estimate says nothing.
 */
export function kaplanMeier(samples: readonly LatencySample[], confidence = 0.95): readonly SurvivalStep[] {
  const { count, detectedMs, censoredMs } = sortSamples(samples);
  const z = normalHalfWidth(confidence);
  const steps: SurvivalStep[] = [];
  let survival = 1;
  let greenwood = 0;
  let censored = 0;
  for (let i = 0; i < detectedMs.length;) {
    const latencyMs = detectedMs[i] as number;
    // A sample censored at the same time was still watched.
    while (censored < censoredMs.length && (censoredMs[censored] as number) < latencyMs) censored++;
    const atRisk = count - i - censored;
    let events = 0;
    while (detectedMs[i] === latencyMs) {
      events++;
      i++;
    }
    survival *= 1 - events / atRisk;
    greenwood += atRisk === events ? 0 : events / (atRisk * (atRisk - events));
    steps.push({ latencyMs, survival, ...interval(survival, greenwood, z) });
  }
  return steps;
}

function interval(survival: number, greenwood: number, z: number): { low: number; high: number } {
  if (survival <= 0) return { low: 0, high: 0 };
  const log = Math.log(survival);
  const factor = Math.exp((z * Math.sqrt(greenwood)) / Math.abs(log));
  return { low: survival ** factor, high: survival ** (1 / factor) };
}

/** A discrete distribution: masses at finite latencies, and what is left of the total. */
export interface Masses {
  /** Sorted. */
  readonly latenciesMs: Float64Array;
  readonly masses: Float64Array;
  /** The mass of errors that are known never to be detected. */
  readonly never: number;
  /** The mass beyond the last censored sample, of which the samples say nothing more. */
  readonly beyond: number;
}

/**
 * The masses of the Kaplan-Meier estimate, by Efron's redistribution to the right: a censored sample hands its mass in
 * equal parts to the samples that were watched longer. `weights` belong to the detected, then to the censored, then to
 * the undetected samples; each is 1 by default. Without censored samples each mass is its weight, exactly.
 */
export function redistribute(
  { detectedMs, censoredMs, never }: SortedSamples,
  weights?: Float64Array,
): Masses {
  const [d, c] = [detectedMs.length, censoredMs.length];
  const weightOf = (index: number) => (weights === undefined ? 1 : (weights[index] as number));
  let neverWeight = 0;
  for (let i = 0; i < never; i++) neverWeight += weightOf(d + c + i);
  let right = neverWeight;
  for (let i = 0; i < d + c; i++) right += weightOf(i);
  const masses = new Float64Array(d);
  let factor = 1;
  let beyond = 0;
  let i = 0;
  for (let j = 0; j <= c; j++) {
    const until = j < c ? (censoredMs[j] as number) : Infinity;
    for (; i < d && (detectedMs[i] as number) <= until; i++) {
      masses[i] = weightOf(i) * factor;
      right -= weightOf(i);
    }
    if (j === c) break;
    const weight = weightOf(d + j);
    right -= weight;
    if (i === d && never === 0) beyond += weight * factor;
    else factor *= (right + weight) / right;
  }
  return { latenciesMs: detectedMs, masses, never: neverWeight * factor, beyond };
}
