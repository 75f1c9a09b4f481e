import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LadderRung, type LadderSetting, ladderOutcomes } from '../src/corruption/ladder.js';
import {
  exponentialLatency,
  fixedLatency,
  type LatencyDistribution,
  weibullLatency,
} from '../src/corruption/latencyDistribution.js';
import { ruleCorruption, ruleRetained } from '../src/corruption/rollbackRule.js';
import { seededRandom } from '../src/numerics/random.js';
import { powersOfTen, uniform } from './generators.js';

const latency = exponentialLatency(0.0599);
const costs = { rollbackMs: 640, restartMs: 10_000 };

/**
 * Plays one error on a list of checkpoints: goes back as the ladder says, takes the checkpoints of the way there again,
 * and fails again while the state that it went back to holds the error.
 */
function play(law: LatencyDistribution, setting: Required<LadderSetting>, random: () => number) {
  const { intervalMs, boundMs, held, rollbackMs, restartMs } = setting;
  const errorAt = 0;
  const detectedAt = law.sample(random);
  const newest = detectedAt - random() * intervalMs;
  const retained = Array.from({ length: held }, (_, age) => newest - age * intervalMs);
  const target = retained.findIndex((takenAt) => takenAt <= detectedAt - boundMs);
  const [first, from]: [LadderRung, number] = target < 0 ? ['only', held - 1] : ['target', target];
  let timeMs = 0;
  for (let index = from; index < held; index++) {
    const takenAt = retained[index] as number;
    timeMs += rollbackMs + (detectedAt - takenAt);
    if (takenAt <= errorAt) {
      const workLostMs = detectedAt - takenAt;
      return {
        rung: index === from ? first : ('older' as const),
        attempts: index - from + 1,
        timeMs,
        workLostMs,
      };
    }
  }
  return { rung: 'restart' as const, attempts: held - from, timeMs: timeMs + restartMs, workLostMs: 0 };
}

describe('the ladder', () => {
  it('ends somewhere: the probabilities sum to one', () => {
    fc.assert(
      fc.property(
        powersOfTen(-4, 0),
        powersOfTen(0, 3),
        uniform(0, 400),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 8 }),
        (rate, intervalMs, boundMs, retained, held) => {
          const outcomes = ladderOutcomes(exponentialLatency(rate), {
            intervalMs,
            boundMs,
            retained: Math.max(retained, held),
            held,
            ...costs,
          });
          expect(outcomes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
        },
      ),
    );
  });

  it('has the rule’s probability at its first rung, once the history is as long as the rule needs', () => {
    fc.assert(
      fc.property(powersOfTen(0, 3), uniform(0, 400), fc.nat(3), (intervalMs, boundMs, more) => {
        const retained = ruleRetained({ intervalMs, boundMs }) + more;
        const outcomes = ladderOutcomes(latency, { intervalMs, boundMs, retained, ...costs });
        expect(outcomes[0]?.rung).toBe('target');
        expect(outcomes[0]?.probability).toBeCloseTo(
          1 - ruleCorruption(latency, { intervalMs, boundMs }),
          11,
        );
        expect(outcomes.find(({ rung }) => rung === 'restart')?.probability).toBeCloseTo(
          latency.corruption(intervalMs, retained),
          11,
        );
        expect(outcomes.some(({ rung }) => rung === 'only')).toBe(false);
      }),
    );
  });

  it('of the dual-checkpoint scheme has no older rung: 98.41 % target, 1.59 % restart', () => {
    const outcomes = ladderOutcomes(latency, { intervalMs: 50, boundMs: 50, ...costs });
    expect(outcomes.map(({ rung, attempts }) => [rung, attempts])).toEqual([
      ['target', 1],
      ['restart', 1],
    ]);
    expect(outcomes[1]?.probability).toBeCloseTo(0.0159, 4);
  });

  it('gives the only checkpoint its chance at the odds of eq. 5', () => {
    const outcomes = ladderOutcomes(latency, { intervalMs: 50, boundMs: 50, held: 1, ...costs });
    expect(outcomes.map(({ rung }) => rung)).toEqual(['only', 'restart']);
    expect(outcomes[0]?.probability).toBeCloseTo(1 - 0.317, 3);
  });

  const settings: readonly (Omit<LadderSetting, 'rollbackMs' | 'restartMs'> & { readonly name: string })[] = [
    { name: 'dual', intervalMs: 50, boundMs: 50 },
    { name: 'a bound between two checkpoints', intervalMs: 50, boundMs: 70 },
    { name: 'a longer history', intervalMs: 20, boundMs: 30, retained: 5 },
    { name: 'no bound, three retained', intervalMs: 30, boundMs: 0, retained: 3 },
    { name: 'the first checkpoint alone', intervalMs: 50, boundMs: 20, held: 1 },
    { name: 'two of four held', intervalMs: 20, boundMs: 50, held: 2 },
  ];

  describe.each([{ law: latency }, { law: weibullLatency(0.7, 40) }, { law: fixedLatency(45) }])(
    'of $law.name latencies',
    ({ law }) => {
      it.each(settings)('$name: a played ladder has its frequencies, times and work lost', (setting) => {
        const retained = setting.retained ?? ruleRetained(setting);
        const full = { retained, held: setting.held ?? retained, ...setting, ...costs };
        const random = seededRandom(9);
        const trials = 30_000;
        const played = Array.from({ length: trials }, () => play(law, full, random));
        const outcomes = ladderOutcomes(law, { ...setting, ...costs });
        let accounted = 0;
        for (const { rung, attempts, probability, timeMs, workLostMs } of outcomes) {
          const mine = played.filter(
            (each) => each.rung === rung && (rung === 'restart' || each.attempts === attempts),
          );
          accounted += mine.length;
          expect(Math.abs(mine.length / trials - probability)).toBeLessThanOrEqual(
            4.5 * Math.sqrt((probability * (1 - probability)) / trials) + 1e-12,
          );
          if (mine.length < 100) continue;
          expectMean(
            mine.map((each) => each.timeMs),
            timeMs,
          );
          if (rung === 'restart') {
            expect(workLostMs).toBeUndefined();
            expect(Math.max(...mine.map((each) => each.attempts))).toBe(attempts);
          } else {
            expectMean(
              mine.map((each) => each.workLostMs),
              workLostMs ?? Number.NaN,
            );
          }
        }
        expect(accounted).toBe(trials);
      });
    },
  );

  it('refuses settings that are none', () => {
    const rule = { intervalMs: 50, boundMs: 50, ...costs };
    expect(() => ladderOutcomes(latency, { ...rule, held: 3 })).toThrow(
      /checkpoints held .* at most 2, not 3/,
    );
    expect(() => ladderOutcomes(latency, { ...rule, held: 0 })).toThrow(/checkpoints held/);
    expect(() => ladderOutcomes(latency, { ...rule, retained: 0 })).toThrow(/retained/);
    expect(() => ladderOutcomes(latency, { ...rule, boundMs: -1 })).toThrow(/latency bound/);
    expect(() => ladderOutcomes(latency, { ...rule, rollbackMs: 0 })).toThrow(/rollback time/);
    expect(() => ladderOutcomes(latency, { ...rule, restartMs: -1 })).toThrow(/restart time/);
    expect(() => ladderOutcomes(latency, { ...rule, retained: 1e6 + 1, held: 1 })).toThrow(/too many/);
    expect(ladderOutcomes(latency, { ...rule, retained: 1e6, held: 1 })).not.toHaveLength(0);
  });
});

function expectMean(values: readonly number[], mean: number): void {
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length);
  expect(Math.abs(average - mean)).toBeLessThanOrEqual((4.5 * deviation) / Math.sqrt(values.length) + 1e-6);
}
