import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEffective, OUTCOMES, outcomeOf, type Fate, type Observed, type Outcome } from '../../src/index.js';

const fate = fc.constantFrom<Fate>('right', 'wrong-result', 'failed', 'hang');
const observed: fc.Arbitrary<Observed> = fc.record({
  activated: fc.boolean(),
  detected: fc.boolean(),
  restarts: fc.nat(2),
  end: fate,
  wrongWire: fc.boolean(),
  twin: fate,
});
const clean: Observed = {
  activated: true,
  detected: true,
  restarts: 0,
  end: 'right',
  wrongWire: false,
  twin: 'hang',
};

describe('the class of an experiment', () => {
  it.each<[Outcome, Partial<Observed>]>([
    ['recovered', {}],
    ['recovered-wrong-output', { wrongWire: true }],
    ['restarted', { restarts: 1 }],
    ['restarted', { restarts: 1, wrongWire: true }],
    ['unrecovered', { end: 'hang' }],
    ['unrecovered', { end: 'wrong-result' }],
    ['unnecessary-rollback', { twin: 'right' }],
    ['broke-healthy-guest', { twin: 'right', end: 'failed' }],
    ['masked', { detected: false, twin: 'right' }],
    ['not-activated', { detected: false, activated: false, twin: 'right' }],
    ['silent-data-corruption', { detected: false, end: 'wrong-result', twin: 'wrong-result' }],
    ['undetected-hang', { detected: false, end: 'hang' }],
  ])('%s: %o', (outcome, changes) => {
    expect(outcomeOf({ ...clean, ...changes })).toBe(outcome);
  });

  it('is recovered only where the error was real, the result is right, and nothing wrong has left', () => {
    fc.assert(
      fc.property(observed, (what) => {
        const outcome = outcomeOf(what);
        expect(OUTCOMES).toContain(outcome);
        const isRecovered =
          what.detected &&
          what.end === 'right' &&
          what.restarts === 0 &&
          !what.wrongWire &&
          isEffective(what);
        expect(outcome === 'recovered').toBe(isRecovered);
        if (outcome === 'broke-healthy-guest') expect(what.twin).toBe('right');
      }),
    );
  });
});
