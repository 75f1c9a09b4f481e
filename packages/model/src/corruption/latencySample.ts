import { ModelError } from '../errors.js';

/**
 * One measured latency. A number is the latency in ms of a detected error, `Infinity` one that is known never to be
 * detected. An object is right-censored: the experiment ended `longerThanMs` after the error, and nobody knows what
 * would have come.
 */
export type LatencySample = number | { readonly longerThanMs: number };

/** Measured latencies by kind, each sorted. */
export interface SortedSamples {
  readonly count: number;
  readonly detectedMs: Float64Array;
  /** How long each censored error was watched. */
  readonly censoredMs: Float64Array;
  /** How many errors are known never to be detected. */
  readonly never: number;
}

/** Throws RMK_ERR_INPUT for no samples, and for one that is not a time of zero or more. */
export function sortSamples(samples: readonly LatencySample[]): SortedSamples {
  if (samples.length === 0) {
    throw new ModelError('RMK_ERR_INPUT', 'there are no latencies: at least one is needed');
  }
  const detected: number[] = [];
  const censored: number[] = [];
  let never = 0;
  for (const sample of samples) {
    const time = typeof sample === 'number' ? sample : sample.longerThanMs;
    if (!(time >= 0) || (typeof sample !== 'number' && time === Infinity)) {
      throw new ModelError('RMK_ERR_INPUT', `a latency must be a number of ms from zero up, not ${time}`);
    }
    if (typeof sample !== 'number') censored.push(time);
    else if (sample === Infinity) never++;
    else detected.push(sample);
  }
  return {
    count: samples.length,
    detectedMs: Float64Array.from(detected).toSorted(),
    censoredMs: Float64Array.from(censored).toSorted(),
    never,
  };
}

/** Throws RMK_ERR_INPUT for samples to which no latency can be fitted. */
export function fittable(samples: SortedSamples): SortedSamples {
  const { detectedMs } = samples;
  if (detectedMs.length === 0) {
    throw new ModelError('RMK_ERR_INPUT', 'none of the errors was ever detected: there is no latency to fit');
  }
  if (detectedMs.at(-1) === 0) {
    throw new ModelError('RMK_ERR_INPUT', 'all latencies are zero: measure them at a finer resolution');
  }
  return samples;
}

/** The distinct times of sorted ones, each with how often it occurs. */
export function distinct(sortedMs: Float64Array): {
  readonly timesMs: Float64Array;
  readonly weights: Float64Array;
} {
  const timesMs: number[] = [];
  const weights: number[] = [];
  for (const time of sortedMs) {
    if (timesMs.at(-1) === time) weights.push((weights.pop() ?? 0) + 1);
    else {
      timesMs.push(time);
      weights.push(1);
    }
  }
  return { timesMs: Float64Array.from(timesMs), weights: Float64Array.from(weights) };
}
