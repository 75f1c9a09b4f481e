import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Transcript } from '../../src/devices/transcript.js';

type Step = { readonly put: readonly number[] } | { readonly back: number };
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ put: fc.array(fc.nat(255), { maxLength: 700 }) }) },
    { weight: 1, arbitrary: fc.record({ back: fc.nat(900) }) },
  ),
  { maxLength: 20 },
);

describe('a transcript', () => {
  it('keeps all on the wire and strikes from the committed output, each up to its limit', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 6000 }), (all, limit) => {
        const transcript = new Transcript(limit);
        let committed: number[] = [];
        const wire: number[] = [];
        for (const step of all) {
          if ('put' in step) {
            for (const byte of step.put) transcript.append(byte);
            committed.push(...step.put);
            wire.push(...step.put);
          } else {
            const position = Math.max(0, committed.length - step.back);
            expect(transcript.strikeTo(position)).toBe(committed.length - position);
            committed = committed.slice(0, position);
          }
          expect(transcript.position).toBe(committed.length);
        }
        expect([...transcript.wireBytes()]).toEqual(wire.slice(0, limit));
        expect([...transcript.committedBytes()]).toEqual(committed.slice(0, limit));
      }),
    );
  });

  it('reports new output once, also beyond its limit, but not output that was struck', () => {
    const transcript = new Transcript(2);
    for (const byte of [1, 2, 3, 4]) transcript.append(byte);
    expect([...transcript.takeUnreported()]).toEqual([1, 2, 3, 4]);
    expect(transcript.hasUnreported).toBe(false);
    transcript.append(5);
    transcript.strikeTo(1);
    expect(transcript.hasUnreported).toBe(false);
    transcript.append(6);
    expect([...transcript.takeUnreported()]).toEqual([6]);
  });
});
