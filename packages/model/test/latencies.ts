import { empiricalLatency } from '../src/corruption/empiricalLatency.js';
import {
  exponentialLatency,
  fixedLatency,
  type LatencyDistribution,
  logNormalLatency,
  mixedLatency,
  weibullLatency,
} from '../src/corruption/latencyDistribution.js';

/** A latency of each kind. */
export const EACH_LATENCY: readonly LatencyDistribution[] = [
  exponentialLatency(0.0599),
  weibullLatency(0.6, 20),
  logNormalLatency(2, 1.1),
  fixedLatency(70),
  empiricalLatency([3, 20, 55, 120, Infinity]),
  mixedLatency([
    { share: 0.7, latency: weibullLatency(2, 30) },
    { share: 0.3, latency: fixedLatency(90) },
  ]),
];
