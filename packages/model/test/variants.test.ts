import { empiricalLatency } from '../src/corruption/empiricalLatency.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DISK_BASED, diskCorruption } from '../src/availability/diskBased.js';
import { manyVmsExact, manyVmsLumped } from '../src/availability/manyVms.js';
import { MICRO_CHECKPOINT } from '../src/availability/microCheckpoint.js';
import { NO_CHECKPOINTING } from '../src/availability/noCheckpointing.js';
import { parameterSet } from '../src/availability/parameterSets.js';
import { REMOTE_REPLICA } from '../src/availability/remoteReplica.js';
import { availabilityOf, chainOf, definitionOf, solveVariant, valuesOf } from '../src/availability/study.js';
import { VARIANT_NAMES } from '../src/availability/variant.js';
import { buildChain, type ChainDefinition } from '../src/chain/markovChain.js';
import { meanTimeTo, measure } from '../src/chain/measures.js';
import { sensitivities } from '../src/chain/sensitivity.js';
import { simulateChain } from '../src/chain/simulation.js';
import { steadyState, steadyStateByIteration } from '../src/chain/steadyState.js';
import { exponentialLatency, fixedLatency } from '../src/corruption/latencyDistribution.js';
import { seededRandom } from '../src/numerics/random.js';
import { anyRates, uniform } from './generators.js';

const reconstruction = parameterSet('reconstruction');
const unavailability = (definition: ChainDefinition, values: Record<string, number>) =>
  measure(buildChain(definition, values, { dropUnreachable: true })).unavailability;

const anyValues = anyRates(-3, fc.double({ min: 0.001, max: 0.999, noNaN: true }));

describe('variants that must agree', () => {
  it('k checkpoints with k = 1 and 2 are single and dual', () => {
    for (const [retained, variant] of [
      [1, 'single'],
      [2, 'dual'],
    ] as const) {
      const setting = { parameters: { ...reconstruction, retained } };
      expect(availabilityOf('k', setting)).toBe(availabilityOf(variant, setting));
    }
  });

  it('checkpoints that are always corrupted, with a checkpointing VM that never fails and restarts at once, are no checkpoints', () => {
    fc.assert(
      fc.property(anyValues, (values) => {
        const useless = { ...values, pc: 1, λs: 0, rs: 1e9 };
        expect(
          unavailability(MICRO_CHECKPOINT, useless) / unavailability(NO_CHECKPOINTING, useless),
        ).toBeCloseTo(1, 6);
      }),
    );
  });

  it('disk checkpoints that are restored as slowly as a restart takes add nothing', () => {
    fc.assert(
      fc.property(anyValues, uniform(0, 1), (values, pd) => {
        const disk = unavailability(DISK_BASED, { ...values, pd, 'pd|c': pd, rd: values.rp });
        expect(disk / unavailability(MICRO_CHECKPOINT, values)).toBeCloseTo(1, 11);
      }),
    );
  });

  it('a disk checkpoint that is always corrupted adds nothing either', () => {
    fc.assert(
      fc.property(anyValues, (values) => {
        const disk = unavailability(DISK_BASED, { ...values, pd: 1, 'pd|c': 1, rd: 1e6 });
        expect(disk / unavailability(MICRO_CHECKPOINT, values)).toBeCloseTo(1, 11);
      }),
    );
  });

  it('a replica on nodes that never fail is one checkpoint on a node that never fails', () => {
    fc.assert(
      fc.property(anyValues, (values) => {
        const safe = { ...values, λs: 0, λv: 0 };
        // A new replica is there at once, so that the failover leaves nothing unprotected.
        const replica = unavailability(REMOTE_REPLICA, { ...safe, rf: values["r'p"], rr: 1e12 });
        expect(replica / unavailability(MICRO_CHECKPOINT, safe)).toBeCloseTo(1, 6);
      }),
    );
  });

  it('one of n VMs is as available as a single one, since nothing of the others touches it', () => {
    fc.assert(
      fc.property(anyValues, fc.integer({ min: 1, max: 4 }), (values, n) => {
        const one = unavailability(MICRO_CHECKPOINT, values);
        expect(unavailability(manyVmsLumped(n), values) / one).toBeCloseTo(1, 11);
        expect(unavailability(manyVmsExact(n), values) / one).toBeCloseTo(1, 11);
      }),
      { numRuns: 30 },
    );
  });

  it('n VMs one by one are n VMs lumped, also where all must be up', () => {
    fc.assert(
      fc.property(anyValues, fc.integer({ min: 1, max: 5 }), (values, n) => {
        const [exact, lumped] = [manyVmsExact(n, 'all'), manyVmsLumped(n, 'all')].map((definition) =>
          buildChain(definition, values, { dropUnreachable: true }),
        ) as [ReturnType<typeof buildChain>, ReturnType<typeof buildChain>];
        expect(measure(exact).unavailability / measure(lumped).unavailability).toBeCloseTo(1, 11);
        expect(meanTimeTo(exact) / meanTimeTo(lumped)).toBeCloseTo(1, 11);
        expect(exact.states).toHaveLength(3 ** n + 2 ** n + 1);
        expect(lumped.states).toHaveLength(((n + 1) * (n + 2)) / 2 + n + 2);
      }),
      { numRuns: 25 },
    );
  });
});

describe('139 protected VMs: 10 011 states', () => {
  const values = valuesOf('dual', { parameters: reconstruction });
  const chain = buildChain(manyVmsLumped(139), values);
  const pi = steadyState(chain);

  it('have the steady state that an iteration finds', () => {
    expect(chain.states).toHaveLength(10_011);
    const { probabilities } = steadyStateByIteration(chain);
    for (const [state, p] of pi.entries()) {
      if (p > 1e-25) expect(Math.abs((probabilities[state] as number) / p - 1)).toBeLessThan(1e-10);
    }
  });

  it('have the availability and the sensitivities of one', () => {
    const one = buildChain(MICRO_CHECKPOINT, values);
    expect(measure(chain, pi).unavailability / measure(one).unavailability).toBeCloseTo(1, 10);
    const single = new Map(
      sensitivities(one).map(({ parameter, downtimeElasticity }) => [parameter, downtimeElasticity]),
    );
    for (const { parameter, downtimeElasticity } of sensitivities(chain)) {
      expect(downtimeElasticity).toBeCloseTo(single.get(parameter) as number, 9);
    }
  });

  it('have too many states one by one, and say so', () => {
    expect(() => manyVmsExact(8)).toThrow(/7 VMs at most.*lumped/);
    expect(() => manyVmsLumped(0)).toThrow(/RMK_ERR_INPUT/);
    expect(() => manyVmsLumped(301)).toThrow(/300 at most/);
  });
});

describe('each variant', () => {
  const frail = {
    ...reconstruction,
    vmMttfHours: 5,
    checkpointVmMttfHours: 20,
    hypervisorMttfHours: 50,
    retained: 3,
    vms: 2,
  };

  it.each(VARIANT_NAMES)(
    '%s: a simulation of its transitions has the model in its interval, and LU agrees',
    (variant) => {
      const result = solveVariant(variant, { parameters: frail });
      const chain = chainOf(variant, { parameters: frail });
      const { low, high } = simulateChain(chain, { cycles: 100_000, seed: 2, confidence: 0.99 });
      expect(result.unavailability).toBeGreaterThan(low);
      expect(result.unavailability).toBeLessThan(high);
      expect(result.luDifference).toBeLessThan(1e-14);
    },
  );

  it.each(VARIANT_NAMES)('%s: sensitivities are finite differences', (variant) => {
    const chain = chainOf(variant, { parameters: frail });
    const definition = definitionOf(variant, frail);
    for (const { parameter, value, derivative } of sensitivities(chain)) {
      const at = (x: number) => unavailability(definition, { ...chain.values, [parameter]: x });
      // At zero there is no other side to step to.
      const step = value === 0 ? 1e-7 : value * 1e-4;
      const slope =
        value === 0 ? (at(0) - at(step)) / step : (at(value - step) - at(value + step)) / (2 * step);
      const scale = value === 0 ? 1 : value;
      expect(Math.abs(derivative - slope) * scale).toBeLessThan(1e-8 + 1e-5 * Math.abs(slope));
    }
  });

  it('vms: also says how often all are up at once, as the model in which only that counts does', () => {
    const { allUpAvailability, availability } = solveVariant('vms', { parameters: frail });
    const all = buildChain(manyVmsLumped(2, 'all'), valuesOf('vms', { parameters: frail }));
    expect(allUpAvailability).toBeCloseTo(measure(all).availability, 13);
    expect(allUpAvailability).toBeLessThan(availability);
    expect(solveVariant('dual', { parameters: frail }).allUpAvailability).toBeUndefined();
  });

  it('that never restarts has no mean time to it: none and vms', () => {
    expect(solveVariant('none', { parameters: frail }).meanTimeToRestartHours).toBeUndefined();
    expect(solveVariant('dual', { parameters: frail }).meanTimeToRestartHours).toBeGreaterThan(5);
  });
});

describe("the paper's comparison", () => {
  it('a remote replica loses little to permanent failures and much to corruption: dual is better on a reasonable hypervisor', () => {
    const setting = { parameters: reconstruction };
    expect(availabilityOf('dual', setting)).toBeGreaterThan(availabilityOf('replica', setting));
    const unreliable = { parameters: { ...reconstruction, hypervisorMttfHours: 20 } };
    expect(availabilityOf('replica', unreliable)).toBeGreaterThan(availabilityOf('dual', unreliable));
  });

  it('checkpoints on disk help against the loss of the hypervisor', () => {
    const setting = { parameters: { ...reconstruction, hypervisorMttfHours: 200 } };
    expect(availabilityOf('disk', setting)).toBeGreaterThan(availabilityOf('dual', setting));
  });
});

describe('corruption of the checkpoint on disk', () => {
  it('is what a simulation of writes finds: the newest complete one, w old at least', () => {
    const [interval, write] = [1000, 150];
    const random = seededRandom(3);
    const latency = exponentialLatency(1 / 400);
    const trials = 200_000;
    let corrupted = 0;
    for (let trial = 0; trial < trials; trial++) {
      const error = random() * interval;
      const detected = error + latency.sample(random);
      // Checkpoint n holds the state at n T and is complete at n T + w.
      const newest = Math.floor((detected - write) / interval);
      if (newest * interval > error) corrupted++;
    }
    const p = diskCorruption(latency, interval, write);
    expect(Math.abs(corrupted / trials - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / trials));
  });

  it('is certain for errors that are never detected, and vanishes for short ones', () => {
    expect(diskCorruption(fixedLatency(Infinity), 1000, 10)).toBeCloseTo(1, 12);
    expect(diskCorruption(empiricalLatency([5, 9]), 1000, 10)).toBe(0);
  });
});
