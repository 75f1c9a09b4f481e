import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Observation } from '../../src/experiment/observation.js';

const text = new TextEncoder();
const GOLDEN = text.encode('all is well here');

function sent(position: number, data: Uint8Array): boolean {
  const observation = new Observation({ instructions: 0 }, GOLDEN);
  observation.output({ atNs: 0, device: 'uart', data, position, guestNs: 0, epoch: 0 });
  return observation.wrongWire;
}

describe('output on the wire', () => {
  it('is right where it is the golden run’s at that place, however often it is sent', () => {
    fc.assert(
      fc.property(fc.nat(GOLDEN.length), fc.nat(GOLDEN.length), (from, to) => {
        expect(sent(from, GOLDEN.slice(from, Math.max(from, to)))).toBe(false);
      }),
    );
  });

  it('is wrong if a single byte is another, or comes where the golden run sends no more', () => {
    fc.assert(
      fc.property(fc.nat(GOLDEN.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        expect(sent(at, Uint8Array.of((GOLDEN[at] ?? 0) ^ mask))).toBe(true);
      }),
    );
    expect(sent(GOLDEN.length, text.encode('!'))).toBe(true);
  });
});
