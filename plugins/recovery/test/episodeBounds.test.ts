import { describe, expect, it } from 'vitest';
import { Episode, type Failure, type Verdict } from '../src/episode.js';

const MS = 1e6;

function failure(detectedAtNs: number, other: Partial<Failure> = {}): Failure {
  const base = { kind: 'hang', cause: 'stuck', detector: 'signs', jitterNs: 0 };
  return { ...base, detectedAtNs, healthyAtNs: detectedAtNs, ...other };
}

function last(...failures: readonly Failure[]): Verdict | undefined {
  const episode = new Episode();
  return failures
    .map((each) => {
      const verdict = episode.judge(each);
      episode.add(each, verdict);
      return verdict;
    })
    .at(-1);
}

describe('the same point of the guest is one millisecond wide, to the nanosecond', () => {
  it.each<[number, Verdict]>([
    [101 * MS, 'same'],
    [101 * MS + 1, 'new'],
    [99 * MS, 'same'],
    [99 * MS - 1, 'another'],
  ])('a failure at 100 ms and one at %d ns: %s', (atNs, verdict) => {
    expect(last(failure(100 * MS), failure(atNs))).toBe(verdict);
  });

  it.each<[number, Verdict]>([
    [51 * MS, 'same'],
    [51 * MS + 1, 'another'],
    [49 * MS, 'same'],
    [49 * MS - 1, 'another'],
  ])('a guest that was healthy at 50 ms and one at %d ns: %s', (healthyAtNs, verdict) => {
    const first = failure(300 * MS, { healthyAtNs: 50 * MS });
    expect(last(first, failure(290 * MS, { healthyAtNs }))).toBe(verdict);
  });

  it.each<[number, Verdict]>([
    [251 * MS, 'same'],
    [251 * MS + 1, 'new'],
  ])('a guest that was left at 250 ms and healthy at %d ns: %s', (healthyAtNs, verdict) => {
    const again = failure(600 * MS, { healthyAtNs, leftAtNs: 250 * MS });
    expect(last(failure(300 * MS, { healthyAtNs: 95 * MS }), again)).toBe(verdict);
  });

  it.each<[number, Verdict]>([
    [120 * MS, 'same'],
    [120 * MS + 1, 'new'],
  ])('a detector that looks each 20 ms, at 100 ms and at %d ns: %s', (atNs, verdict) => {
    const jitterNs = 20 * MS;
    expect(last(failure(100 * MS, { jitterNs }), failure(atNs, { jitterNs }))).toBe(verdict);
  });

  it('the furthest of all failures counts, not the last', () => {
    expect(last(failure(100 * MS), failure(50 * MS), failure(90 * MS, { cause: 'b' }))).toBe('another');
    expect(last(failure(100 * MS), failure(50 * MS), failure(101 * MS + 1))).toBe('new');
  });
});

it('two others are allowed, and the third one is taken for the same', () => {
  const others = ['a', 'b', 'c'].map((cause) => failure(50 * MS, { cause }));
  expect(last(failure(100 * MS), ...others.slice(0, 2))).toBe('another');
  expect(last(failure(100 * MS), ...others)).toBe('same');
});
