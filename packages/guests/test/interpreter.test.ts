import { beforeAll, describe, expect, it } from 'vitest';

import { runGuest, type GuestRun } from './runGuest.js';

type Results = readonly [first: number, second: number, keys: number];

const ROUNDS = 3;
const MODULUS = 2 ** 32;

/** Each program in TypeScript: its two results, and how many keys its table has in the end. */
const PROGRAMS: Readonly<Record<string, (input: number) => Results>> = {
  collatz(limit) {
    const steps = new Map<number, number>();
    let longest = { start: 0, steps: 0 };
    for (let start = 2; start < limit; start++) {
      const path: number[] = [];
      let number = start;
      for (; number !== 1 && !steps.has(number); number = number % 2 === 0 ? number / 2 : 3 * number + 1) {
        path.push(number);
      }
      let left = steps.get(number) ?? 0;
      for (const met of path.toReversed()) steps.set(met, ++left);
      const total = steps.get(start) ?? 0;
      if (total > longest.steps) longest = { start, steps: total };
    }
    return [longest.start, longest.steps, steps.size];
  },

  words(seed) {
    const occurrences = new Map<string, number>();
    let random = seed;
    for (let written = 0; written < 12_000; written++) {
      random = (random ^ (random << 13)) >>> 0;
      random = (random ^ (random >>> 17)) >>> 0;
      random = (random ^ (random << 5)) >>> 0;
      const word = Array.from({ length: 1 + (random % 3) }, (_, i) => (random >>> (4 * (i + 1))) % 16).join();
      occurrences.set(word, (occurrences.get(word) ?? 0) + 1);
    }
    return [occurrences.size, Math.max(...occurrences.values()), occurrences.size];
  },

  cycle(start) {
    const met = new Map<number, number>();
    let number = start;
    while (!met.has(number)) {
      met.set(number, met.size);
      number = (Math.imul(number ^ (number >>> 13), 2_654_435_761) + 12_345) >>> 0;
      number = (number ^ (number >>> 15)) & 0x0fff_ffff;
    }
    return [met.size, met.get(number) ?? Number.NaN, met.size];
  },

  partitions(number) {
    const known = new Map<string, bigint>();
    const ways = (sum: number, greatest: number): bigint => {
      if (sum === 0) return 1n;
      if (greatest === 0 || sum < 0) return 0n;
      const key = `${sum},${greatest}`;
      const found = known.get(key) ?? ways(sum, greatest - 1) + ways(sum - greatest, greatest);
      known.set(key, found);
      return found;
    };
    const results = [ways(number, number), ways(number, Math.floor(number / 3))];
    const [first = 0, second = 0] = results.map((count) => Number(count % BigInt(MODULUS)));
    return [first, second, known.size];
  },
};

describe('the guest interpreter', () => {
  let run: GuestRun;
  beforeAll(async () => {
    run = await runGuest('interpreter');
  });

  it('runs all its programs within three seconds of guest time', () => {
    expect(run.exitCode).toBe(0);
    expect(run.output).toMatch(
      /^interpreter: bytecode.*\n(round \d of 3\n(.* keys\n){4}){3}\d+ operations\ninterpreter: ok [0-9a-f]{8}\n$/,
    );
    expect(run.guestNs).toBeGreaterThan(1e9);
    expect(run.guestNs).toBeLessThan(3e9);
  });

  it.each(Object.entries(PROGRAMS))('comes to the results of %s, and to its table', (name, compute) => {
    const lines = run.output.matchAll(new RegExp(`^${name} +(\\d+) -> +(\\d+) +(\\d+), +(\\d+) keys$`, 'gm'));
    const found = Array.from(lines, (numbers) => numbers.slice(1).map(Number));
    expect(found).toHaveLength(ROUNDS);
    for (const [input = 0, ...results] of found) expect(results).toEqual(compute(input));
  });
});
