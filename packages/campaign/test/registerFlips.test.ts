import { assert, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegisterFlips, type RegisterBit } from '../src/index.js';

function drawn(seed: number, count: number): readonly RegisterBit[] {
  const flips = new RegisterFlips(seed);
  return Array.from({ length: count }, () => flips.next());
}

describe('register flips', () => {
  it('repeat exactly with the same seed, and differ with another', () => {
    assert(
      property(nat(), nat(), (one, other) => {
        expect(drawn(one, 20)).toEqual(drawn(one, 20));
        if (one !== other) expect(drawn(one, 20)).not.toEqual(drawn(other, 20));
      }),
    );
  });

  it('hit x1 to x31 in any bit and pc in bits 2 to 31, all of them, registers equally often', () => {
    const flips = drawn(1, 40_000);
    const expected = Array.from({ length: 31 }, (_, index) => `x${index + 1}`).flatMap((register) =>
      Array.from({ length: 32 }, (_, bit) => `${register}.${bit}`),
    );
    const ofPc = Array.from({ length: 30 }, (_, bit) => `pc.${bit + 2}`);
    const hit = new Set(flips.map(({ register, bit }) => `${register}.${bit}`));
    expect([...hit].toSorted()).toEqual([...expected, ...ofPc].toSorted());
    const counts = new Map<string, number>();
    for (const { register } of flips) counts.set(register, (counts.get(register) ?? 0) + 1);
    // 1250 of each are expected, with a standard deviation of 35.
    for (const count of counts.values()) expect(Math.abs(count - 1250)).toBeLessThan(210);
  });

  it('are not alike for small seeds', () => {
    const first = new Set(Array.from({ length: 50 }, (_, seed) => JSON.stringify(drawn(seed, 1))));
    expect(first.size).toBeGreaterThan(40);
  });
});
