import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MICRO_CHECKPOINT } from '../src/availability/microCheckpoint.js';
import { parameterSet } from '../src/availability/parameterSets.js';
import { availabilityOf, chainOf, solveVariant, valuesOf } from '../src/availability/study.js';
import { simulateSystem, systemOf } from '../src/availability/systemSimulation.js';
import { buildChain } from '../src/chain/markovChain.js';
import { measure, unavailabilityOf } from '../src/chain/measures.js';
import { formatRate } from '../src/chain/rate.js';
import { steadyState } from '../src/chain/steadyState.js';
import { transient } from '../src/chain/transient.js';
import { exponentialLatency, fixedLatency, mixedLatency } from '../src/corruption/latencyDistribution.js';
import { anyRates, uniform } from './generators.js';

const reconstruction = parameterSet('reconstruction');
const anyValues = anyRates(-4, uniform(0, 1));

describe('the model of figure 5', () => {
  it('has the transitions that the text determines', () => {
    const arrows = MICRO_CHECKPOINT.transitions.map(
      ({ from, to, rate: r }) => `${from} -${formatRate(r)}-> ${to}`,
    );
    expect(arrows.toSorted()).toEqual(
      [
        '(1,1) -λp·(1 - pc)-> (0,1)',
        "(0,1) -r'p-> (1,1)",
        '(1,1) -λp·pc-> (0,0)',
        '(0,0) -rp-> (1,1)',
        '(1,1) -λs-> (1,F)',
        '(1,F) -rs-> (1,1)',
        '(1,F) -λp-> (0,F)',
        '(0,F) -rs-> (0,0)',
        '(0,1) -λs-> (0,F)',
        '(0,0) -λs-> (0,F)',
        '(1,1) -λv-> F_S',
        '(0,1) -λv-> F_S',
        '(0,0) -λv-> F_S',
        '(1,F) -λv-> F_S',
        '(0,F) -λv-> F_S',
        'F_S -rv-> (0,F)',
      ].toSorted(),
    );
    expect(
      MICRO_CHECKPOINT.transitions.every(({ source }) => source !== undefined && source.length > 20),
    ).toBe(true);
    expect(MICRO_CHECKPOINT.states.filter(({ reward }) => reward === 1).map(({ name }) => name)).toEqual([
      '(1,1)',
      '(1,F)',
    ]);
  });

  it('has the steady state that its balance equations give by hand', () => {
    fc.assert(
      fc.property(anyValues, (v) => {
        // In units of P(1,1) = 1, from the balance of each state; P(F_S) and P(0,F) from two equations in two unknowns.
        const rolled = (v.λp * (1 - v.pc)) / (v["r'p"] + v.λs + v.λv);
        const bare = v.λs / (v.rs + v.λp + v.λv);
        // (0,0): λp pc + rs f = (rp + λs + λv) z; (0,F): λp bare + λs (rolled + z) + rv s = (rs + λv) f; F_S: λv (1 +
        // rolled + z + bare + f) = rv s. Adding the last two: λp bare + λs (rolled + z) + λv (1 + rolled + z + bare) =
        // rs f.
        const exit = v.rp + v.λs + v.λv;
        const known = v.λp * bare + v.λs * rolled + v.λv * (1 + rolled + bare);
        const lost = (known + ((v.λs + v.λv) * v.λp * v.pc) / exit) / (v.rs * (1 - (v.λs + v.λv) / exit));
        const restarted = (v.λp * v.pc + v.rs * lost) / exit;
        const node = (v.λv * (1 + rolled + restarted + bare + lost)) / v.rv;
        const total = 1 + rolled + restarted + bare + lost + node;
        const { probabilities, unavailability } = measure(
          buildChain(MICRO_CHECKPOINT, v, { dropUnreachable: true }),
        );
        const expected = {
          '(1,1)': 1,
          '(0,1)': rolled,
          '(0,0)': restarted,
          '(1,F)': bare,
          '(0,F)': lost,
          F_S: node,
        };
        for (const [state, weight] of Object.entries(expected)) {
          expect(Math.abs((probabilities[state] ?? 0) - weight / total)).toBeLessThan(
            (1e-12 * weight) / total + 1e-300,
          );
        }
        expect(unavailability / ((rolled + restarted + lost + node) / total)).toBeCloseTo(1, 11);
      }),
      { numRuns: 300 },
    );
  });

  it('is more available with more reliable parts, faster recovery and less corruption', () => {
    fc.assert(
      fc.property(anyValues, (v) => {
        const at = (change: Partial<typeof v>) =>
          measure(buildChain(MICRO_CHECKPOINT, { ...v, ...change }, { dropUnreachable: true }))
            .unavailability;
        const now = at({});
        expect(at({ λv: v.λv * 2 })).toBeGreaterThan(now);
        expect(at({ rv: v.rv * 2 })).toBeLessThan(now);
        expect(at({ rs: v.rs * 2 })).toBeLessThan(now);
        expect(at({ rp: v.rp * 2 })).toBeLessThan(now * (1 + 1e-12));
      }),
    );
  });
});

describe('the reconstruction of table 2', () => {
  it("gives the abstract's 99.98 % with two checkpoints, and our 99.677 % with one", () => {
    expect((100 * availabilityOf('dual', { parameters: reconstruction })).toFixed(4)).toBe('99.9801');
    expect((100 * availabilityOf('single', { parameters: reconstruction })).toFixed(3)).toBe('99.677');
  });

  it('has the 99 % without checkpointing as an input: the VM alone, and a little less with the hypervisor', () => {
    const { vmMttfHours, vmRestartSeconds } = reconstruction;
    expect(vmMttfHours / (vmMttfHours + vmRestartSeconds / 3600)).toBeCloseTo(0.99, 12);
    expect((100 * availabilityOf('none', { parameters: reconstruction })).toFixed(2)).toBe('99.00');
  });

  it("takes 0.64 s as all of 1/r'p at 50 ms with two checkpoints", () => {
    expect(3600 / (valuesOf('dual', { parameters: reconstruction })["r'p"] ?? 0)).toBeCloseTo(0.64, 12);
    const added = availabilityOf('dual', { parameters: { ...reconstruction, rollbackScope: 'rollback' } });
    expect((100 * added).toFixed(4)).toBe('99.9799');
  });

  it('reaches its steady state within days', () => {
    const chain = chainOf('dual', { parameters: reconstruction });
    const limit = steadyState(chain);
    const at = (hours: number) => unavailabilityOf(chain, transient(chain, hours, { steadyState: limit }));
    expect(at(0)).toBe(0);
    expect(at(48) / unavailabilityOf(chain, limit)).toBeCloseTo(1, 6);
    expect(at(8760) / unavailabilityOf(chain, limit)).toBeCloseTo(1, 6);
  });
});

describe('a discrete-event simulation of §5 (a), (b) and (c)', () => {
  /** Parts that fail often, so that every path of the figure is walked many times. */
  const frail = {
    ...reconstruction,
    vmMttfHours: 5,
    checkpointVmMttfHours: 8,
    hypervisorMttfHours: 20,
    rollbackSeconds: 400,
    rollbackScope: 'rollback' as const,
  };

  it.each([
    ['single', 1, frail, 1],
    ['dual', 2, frail, 1],
    ['dual', 2, reconstruction, 1],
    ['vms', 2, { ...frail, vms: 3 }, 3],
  ] as const)(
    '%s with %i checkpoints: the model lies in its interval',
    (variant, retained, parameters, vms) => {
      const latency = mixedLatency([
        { share: 0.9, latency: exponentialLatency(0.0599) },
        { share: 0.1, latency: fixedLatency(200) },
      ]);
      const setting = { parameters, latency };
      const result = solveVariant(variant, setting);
      const system = systemOf(variant, setting);
      expect(system).toMatchObject({ vms, errors: [{ boundMs: (retained - 1) * 50 }] });
      const { low, high } = simulateSystem(system, { cycles: 150_000, seed: 1, confidence: 0.99 });
      expect(result.unavailability).toBeGreaterThan(low);
      expect(result.unavailability).toBeLessThan(high);
      expect((high - low) / result.unavailability).toBeLessThan(0.06);
    },
  );
});
