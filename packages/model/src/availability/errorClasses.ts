import type { LatencyDistribution } from '../corruption/latencyDistribution.js';
import { ruleRetained } from '../corruption/rollbackRule.js';
import { latencyOf, type Parameters } from './parameters.js';
import type { Setting, Variant } from './variant.js';

/**
 * A class of errors, and the rule's T_B for it: the rollback target is the newest checkpoint that is at least `boundMs`
 * old.
 */
export interface ErrorClass {
  readonly share: number;
  readonly latency: LatencyDistribution;
  readonly boundMs: number;
}

/** How many checkpoints the variant retains in memory. The variant "rule" retains as many as its longest T_B needs. */
export function retainedOf(variant: Variant, parameters: Parameters): number {
  if (variant === 'single' || variant === 'replica') return 1;
  if (variant === 'k') return parameters.retained;
  if (variant !== 'rule') return 2;
  const boundMs = Math.max(...classesOf(parameters).map((each) => each.boundMs ?? parameters.latencyBoundMs));
  return ruleRetained({ intervalMs: parameters.intervalMs, boundMs });
}

/**
 * The classes of errors, each with the T_B by which the variant rolls back. A detector's T_B counts as far as the
 * history reaches, because the oldest checkpoint is the target of every longer one. A class without a T_B of its own
 * goes back to the oldest checkpoint, and under the variant "rule" to `latencyBoundMs`.
 */
export function errorClasses(variant: Variant, { parameters, latency }: Setting): readonly ErrorClass[] {
  const oldest = (retainedOf(variant, parameters) - 1) * parameters.intervalMs;
  const unbounded = variant === 'rule' ? parameters.latencyBoundMs : oldest;
  if (latency !== undefined) return [{ share: 1, latency, boundMs: Math.min(oldest, unbounded) }];
  return classesOf(parameters).map((each) => ({
    share: each.share,
    latency: each.latency,
    boundMs: Math.min(oldest, each.boundMs ?? unbounded),
  }));
}

function classesOf(parameters: Parameters) {
  const own = parameters.classes;
  if (own === undefined) return [{ share: 1, latency: latencyOf(parameters), boundMs: undefined }];
  return own.map((each) => ({
    share: each.share,
    latency: latencyOf({ ...parameters, classes: [{ ...each, share: 1 }] }),
    boundMs: each.boundMs,
  }));
}

/** The probability that the rollback target of an error is corrupted. */
export function classCorruption(classes: readonly ErrorClass[], intervalMs: number): number {
  return mean(classes, ({ latency, boundMs }) => latency.corruptionFrom(boundMs, intervalMs));
}

/** E[age of the rollback target; it is clean], in ms. */
export function classCleanAge(classes: readonly ErrorClass[], intervalMs: number): number {
  return mean(classes, ({ latency, boundMs }) => latency.cleanAgeFrom(boundMs, intervalMs));
}

/** The mean age of the rollback target, clean or not, in ms. */
export function classAge(classes: readonly ErrorClass[], intervalMs: number): number {
  return mean(classes, ({ boundMs }) => boundMs + intervalMs / 2);
}

function mean(classes: readonly ErrorClass[], value: (each: ErrorClass) => number): number {
  return classes.reduce((sum, each) => (each.share === 0 ? sum : sum + each.share * value(each)), 0);
}
