import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advise } from '../src/advice/advise.js';
import { missingInputs } from '../src/advice/missingInput.js';
import { parseSlowdown, parseSlowdownText, slowdownAt } from '../src/advice/slowdown.js';
import { parameterSet } from '../src/availability/parameterSets.js';
import { availabilityOf } from '../src/availability/study.js';
import { exponentialVariate, seededRandom } from '../src/numerics/random.js';

const parameters = parameterSet('reconstruction');
const slowdown = parseSlowdownText('20=0.12,50=0.063,200=0.038,1000=0.02');
const latencies = (count: number) => {
  const random = seededRandom(12);
  return Array.from({ length: count }, () => exponentialVariate(random, 0.0599));
};

describe('measured slowdowns', () => {
  it('are read from JSON and by hand, sorted, and what else the JSON holds is left alone', () => {
    const json = {
      command: 'bench',
      slowdown: [
        { intervalMs: 200, slowdown: 0.038, runs: 5 },
        { intervalMs: 50, slowdown: 0.063, low: 0.06, high: 0.07 },
      ],
    };
    expect(parseSlowdown(json, 'b.json')).toEqual([
      { intervalMs: 50, slowdown: 0.063, low: 0.06, high: 0.07 },
      { intervalMs: 200, slowdown: 0.038 },
    ]);
    expect(parseSlowdownText('200=0.038,50=0.063:0.06:0.07')).toEqual(parseSlowdown(json, 'b.json'));
  });

  it('are refused when they are none', () => {
    expect(() => parseSlowdown({}, 'b.json')).toThrow(/RMK_ERR_INPUT: b\.json is not of the form/);
    expect(() => parseSlowdown({ slowdown: [] }, 'b.json')).toThrow(/RMK_ERR_INPUT/);
    expect(() => parseSlowdown({ slowdown: [{ intervalMs: -1, slowdown: 0 }] }, 'b.json')).toThrow(
      /slowdown\.0\.intervalMs/,
    );
    expect(() => parseSlowdownText('50=')).toThrow(/slowdown\.0\.slowdown/);
    expect(() => parseSlowdownText('50=-0.001')).toThrow(/Checkpoints make no program faster: measure again/);
    expect(() => parseSlowdownText('50=0.01:-1:0.02')).toThrow(/slowdown\.0\.low: must be a number above -1/);
    expect(parseSlowdownText('50=0:-0.01:0.02')).toEqual([
      { intervalMs: 50, slowdown: 0, low: -0.01, high: 0.02 },
    ]);
    expect(() => parseSlowdownText('50=0.1,50=0.2')).toThrow(/two slowdowns at 50 ms/);
    expect(() => parseSlowdownText('50=0.1:0.05')).toThrow(/one bound only/);
    expect(() => parseSlowdownText('50=0.1:0.2:0.3')).toThrow(/0\.1 does not lie between/);
  });

  it('are interpolated between the measured ones and never beyond', () => {
    for (const { intervalMs, slowdown: measured } of slowdown)
      expect(slowdownAt(slowdown, intervalMs)).toBe(measured);
    expect(slowdownAt(slowdown, 100)).toBeCloseTo((0.063 + 0.038) / 2, 12);
    expect(() => slowdownAt(slowdown, 19)).toThrow(/no slowdown was measured around 19 ms/);
    expect(() => slowdownAt(slowdown, 1001)).toThrow(/RMK_ERR_INPUT/);
  });
});

describe('advice', () => {
  it('is at least as good as every measured interval with every history', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 0.001, 0.01, 1), (weight) => {
        const { recommendation } = advise({ parameters, slowdown, weight });
        for (const { intervalMs, slowdown: loss } of slowdown) {
          for (let retained = 1; retained <= 8; retained++) {
            const availability = availabilityOf('k', { parameters: { ...parameters, intervalMs, retained } });
            expect(availability / (1 + loss) ** weight).toBeLessThanOrEqual(
              recommendation.utility * (1 + 1e-6),
            );
          }
        }
      }),
      { numRuns: 4 },
    );
  });

  it('says what it rests on: the numbers belong together', () => {
    const { recommendation: r, curve, histories } = advise({ parameters, slowdown, weight: 0.01 });
    expect(r.availability).toBe(
      availabilityOf('k', { parameters: { ...parameters, intervalMs: r.intervalMs, retained: r.retained } }),
    );
    expect(r.utility).toBe(r.availability / (1 + slowdownAt(slowdown, r.intervalMs)) ** 0.01);
    expect(histories.map(({ retained }) => retained)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(Math.max(...curve.map(({ utility }) => utility))).toBe(r.utility);
    expect(curve.every(({ low, high, utility }) => low === utility && high === utility)).toBe(true);
  });

  it('keeps within the work that may be lost', () => {
    const { recommendation, histories } = advise({ parameters, slowdown, maxLostWorkMs: 150 });
    expect(recommendation.retained * recommendation.intervalMs).toBeLessThanOrEqual(150);
    expect(histories.every(({ retained, intervalMs }) => retained * intervalMs <= 150)).toBe(true);
    expect(histories.find(({ retained }) => retained === 3)?.intervalMs).toBe(50);
    expect(() => advise({ parameters, slowdown, maxLostWorkMs: 10 })).toThrow(
      /no measured interval loses at most 10 ms/,
    );
  });

  it('has intervals from the inputs that are uncertain, narrower with more samples', () => {
    const width = (count: number) => {
      const { uncertainty } = advise({
        parameters,
        slowdown: slowdown.slice(1, 2),
        samples: latencies(count),
        maxRetained: 2,
      });
      expect(uncertainty.from).toEqual(['latency samples']);
      expect(uncertainty.utility.low).toBeLessThan(uncertainty.utility.value);
      return uncertainty.availability.high - uncertainty.availability.low;
    };
    expect(width(2000)).toBeLessThan(width(100));
    const bounded = parseSlowdownText('50=0.063:0.05:0.08,200=0.038:0.03:0.05');
    const { uncertainty, curve } = advise({ parameters, slowdown: bounded });
    expect(uncertainty.from).toEqual(['slowdown']);
    expect(curve.every(({ low, utility, high }) => low < utility && utility < high)).toBe(true);
  });

  it('does not take an unseen corruption for none', () => {
    const { recommendation, uncertainty, notes } = advise({
      parameters,
      slowdown,
      samples: [1, 2, 3, 4, 5],
    });
    expect(recommendation.corruption.value).toBe(0);
    expect(recommendation.corruption.high).toBeCloseTo(1 - 0.025 ** 0.2, 12);
    expect(uncertainty.availability.low).toBeLessThan(0.996);
    expect(notes.join()).toMatch(/none of the 5 errors lasted long enough/);
  });

  it('repeats itself for a seed, and says when it stands at the edge of what was measured', () => {
    const input = { parameters, slowdown, samples: latencies(50), seed: 3 };
    expect(advise(input)).toEqual(advise(input));
    expect(advise({ parameters, slowdown }).notes.join()).toMatch(/1000 ms is the longest interval measured/);
    expect(advise({ parameters, slowdown: slowdown.slice(0, 1) }).notes.join()).toMatch(
      /one interval was measured/,
    );
  });

  it('refuses weights and histories that are none', () => {
    expect(() => advise({ parameters, slowdown, weight: -1 })).toThrow(/weight/);
    expect(() => advise({ parameters, slowdown, maxRetained: 0 })).toThrow(/longest history/);
  });
});

describe('what was not measured', () => {
  it('is listed with how to measure it, and the option that takes it', () => {
    const all = missingInputs({ slowdown: false, latencies: false, bounds: false, rollback: false });
    expect(all.map(({ input, measure }) => [input, /--\w+/.exec(measure)?.[0]])).toEqual([
      ['slowdown', '--slowdown'],
      ['latencies', '--samples'],
      ['rollback time', '--params'],
    ]);
    expect(missingInputs({ slowdown: true, latencies: true, bounds: true, rollback: true })).toEqual([]);
  });
});
