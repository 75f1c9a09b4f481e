import { ModelError, requireCount, requirePositive } from '../errors.js';
import type { LatencyDistribution } from './latencyDistribution.js';
import { type RollbackRule, ruleRetained } from './rollbackRule.js';

/**
 * The rungs of the recovery's ladder that an error of some latency leads to. Damaged page logs, and so the rung
 * `newer`, are not modelled.
 */
export type LadderRung = 'target' | 'older' | 'only' | 'restart';

export interface LadderSetting extends RollbackRule {
  /** How many checkpoints are retained. Default: those that the rule needs, ⌈T_B / T_ck⌉ + 1. */
  readonly retained?: number;
  /** How many of them have been taken when the error is detected. Default: all. */
  readonly held?: number;
  /** What a rollback takes, without the work that is done again. */
  readonly rollbackMs: number;
  /** What a restart takes, without the work that is done again. */
  readonly restartMs: number;
}

/** How often an error ends at a rung, and what that costs. */
export interface LadderOutcome {
  readonly rung: LadderRung;
  /** How many checkpoints were tried, this one included; at a restart, the most that are tried before it. */
  readonly attempts: number;
  readonly probability: number;
  /**
   * The mean age, at detection, of the checkpoint that helped, in ms. Undefined for a restart, which loses everything.
   */
  readonly workLostMs: number | undefined;
  /**
   * The mean time from the first detection until the guest is again where it was then, in ms: all rollbacks, and all
   * work done again, that which led to the same failure included. For a restart, the time until the guest starts from
   * the beginning.
   */
  readonly timeMs: number;
}

/**
 * The ages at detection that lie in one stretch of the newest checkpoint's age, and the rungs that the ladder has for
 * them.
 */
interface Stretch {
  readonly widthMs: number;
  /** The least age of the first candidate. */
  readonly fromMs: number;
  readonly first: 'target' | 'only';
  readonly candidates: number;
}

/**
 * The ladder of the recovery, for a single error: the rule's target; if the same failure comes again, the next older
 * checkpoint, and so on; if no retained checkpoint is as old as T_B, the oldest one (rung `only`); a restart after the
 * last one.
 *
 * The newest checkpoint's age at detection is uniform on [0, T_ck), the others are T_ck apart. A rollback to a
 * corrupted checkpoint repeats the failure at the same place of the guest. The checkpoints taken on the way there are
 * as many as the rollback discarded, so the older ones are still retained.
 *
 * Throws RMK_ERR_INPUT for numbers out of range.
 */
export function ladderOutcomes(
  latency: LatencyDistribution,
  setting: LadderSetting,
): readonly LadderOutcome[] {
  const { intervalMs, rollbackMs, restartMs } = setting;
  requirePositive('the rollback time (ms)', rollbackMs);
  requirePositive('the restart time (ms)', restartMs);
  const sums = new Map<
    string,
    { rung: LadderRung; attempts: number; p: number; age: number; time: number }
  >();
  const add = (rung: LadderRung, attempts: number, p: number, age: number, time: number): void => {
    const key = `${rung} ${rung === 'restart' ? '' : attempts}`;
    const sum = sums.get(key) ?? { rung, attempts, p: 0, age: 0, time: 0 };
    sum.attempts = Math.max(sum.attempts, attempts);
    sum.p += p;
    sum.age += age;
    sum.time += time;
    sums.set(key, sum);
  };
  for (const stretch of stretchesOf(setting)) {
    const { widthMs, fromMs, first, candidates } = stretch;
    const weight = widthMs / intervalMs;
    /** The mean over the stretch of P(l > u), and of u P(l > u), for the age u of the candidate `step`. */
    const heldBy = (step: number) => {
      const from = fromMs + step * intervalMs;
      const share = latency.corruptionFrom(from, widthMs);
      return { share, age: from + widthMs / 2 - latency.cleanAgeFrom(from, widthMs) };
    };
    // All that a candidate faces: every error first, then those that corrupted the one before, in terms of its own age.
    let facing = { share: 1, age: fromMs + widthMs / 2 };
    for (let step = 0; step < candidates; step++) {
      const left = heldBy(step);
      const p = Math.max(0, facing.share - left.share);
      const age = Math.max(0, facing.age - left.age);
      const attempts = step + 1;
      // The ages of all candidates up to this one sum to (step + 1) u - T_ck (1 + ... + step).
      const earlier = (intervalMs * step * (step + 1)) / 2;
      const time = attempts * (rollbackMs * p + age) - earlier * p;
      add(step === 0 ? first : 'older', attempts, weight * p, weight * age, weight * time);
      if (step === candidates - 1) {
        const lost = attempts * (rollbackMs * left.share + left.age) - earlier * left.share;
        add('restart', attempts, weight * left.share, 0, weight * (lost + restartMs * left.share));
      }
      facing = { share: left.share, age: left.age + intervalMs * left.share };
    }
  }
  const order: readonly LadderRung[] = ['target', 'only', 'older', 'restart'];
  return [...sums.values()]
    .toSorted((a, b) => order.indexOf(a.rung) - order.indexOf(b.rung) || a.attempts - b.attempts)
    .map(({ rung, attempts, p, age, time }) => ({
      rung,
      attempts,
      probability: p,
      workLostMs: rung === 'restart' || p === 0 ? undefined : age / p,
      timeMs: p === 0 ? 0 : time / p,
    }));
}

/** Cuts [0, T_ck), the age of the newest checkpoint, where the target becomes one checkpoint younger. */
function stretchesOf(setting: LadderSetting): readonly Stretch[] {
  const { intervalMs, boundMs } = setting;
  const needed = ruleRetained(setting);
  const { retained = needed, held = retained } = setting;
  requireCount('the number of retained checkpoints', retained);
  requireCount('the number of checkpoints held', held, 1, retained);
  if (retained > 1e6) throw new ModelError('RMK_ERR_INPUT', `${retained} retained checkpoints are too many`);
  // The target is checkpoint `needed - 1` while the newest one is younger than `turn`, and `needed - 2` from then on.
  const turn = Math.max(0, boundMs - (needed - 2) * intervalMs);
  return [
    { lowMs: 0, highMs: Math.min(turn, intervalMs), index: needed - 1 },
    { lowMs: turn, highMs: intervalMs, index: needed - 2 },
  ]
    .filter(({ lowMs, highMs }) => highMs > lowMs)
    .map(({ lowMs, highMs, index }) => {
      const exists = index < held;
      return {
        widthMs: highMs - lowMs,
        fromMs: (exists ? Math.max(0, index) : held - 1) * intervalMs + lowMs,
        first: exists ? 'target' : 'only',
        candidates: exists ? held - Math.max(0, index) : 1,
      };
    });
}
