import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Episode, type Failure, type Verdict } from '../src/episode.js';

const MS = 1e6;

function crashAt(ms: number, other: Partial<Failure> = {}): Failure {
  const at = { detectedAtNs: ms * MS, healthyAtNs: ms * MS };
  return { kind: 'crash', cause: 'illegal-instruction', detector: 'signals', jitterNs: 0, ...at, ...other };
}

/** The verdicts on failures that come one after the other. */
function verdicts(...failures: readonly Failure[]): readonly Verdict[] {
  const episode = new Episode();
  return failures.map((failure) => {
    const verdict = episode.judge(failure);
    episode.add(failure, verdict);
    return verdict;
  });
}

describe('a failure of the guest', () => {
  it('is the same where it comes at the same point of the guest, for the same cause, at the same place', () => {
    expect(verdicts(crashAt(100), crashAt(100))).toEqual(['new', 'same']);
    expect(verdicts(crashAt(100), crashAt(100.9))).toEqual(['new', 'same']);
    expect(verdicts(crashAt(100), crashAt(99.1), crashAt(100))).toEqual(['new', 'same', 'same']);
    expect(verdicts(crashAt(100, { place: 'pc 8' }), crashAt(100, { place: 'pc 8' }))).toEqual([
      'new',
      'same',
    ]);
  });

  it.each([
    ['cause', { cause: 'load-access-fault' }],
    ['kind', { kind: 'hang' }],
    ['detector', { detector: 'others' }],
    ['place', { place: 'pc 4' }],
  ])('is another one where the %s differs', (_, other) => {
    expect(verdicts(crashAt(100, { place: 'pc 8' }), crashAt(100, other))).toEqual(['new', 'another']);
  });

  it('is another one where the guest has not come as far, since what is undone takes the same time again', () => {
    expect(verdicts(crashAt(100), crashAt(60))).toEqual(['new', 'another']);
    expect(verdicts(crashAt(100), crashAt(98.9))).toEqual(['new', 'another']);
  });

  it('is a new one where the guest has come further than ever before', () => {
    expect(verdicts(crashAt(100), crashAt(101.1))).toEqual(['new', 'new']);
    // 60 is still short of 100.
    expect(verdicts(crashAt(100), crashAt(60), crashAt(70), crashAt(101.1))).toEqual([
      'new',
      'another',
      'another',
      'new',
    ]);
  });

  it('is the same where a detector that looks now and then notices it by less than its bound later', () => {
    const looked = (ms: number) => crashAt(ms, { jitterNs: 20 * MS });
    expect(verdicts(looked(100), looked(120))).toEqual(['new', 'same']);
    expect(verdicts(looked(100), looked(120.1))).toEqual(['new', 'new']);
    expect(verdicts(crashAt(100), { ...looked(110), cause: 'another' })).toEqual(['new', 'new']);
  });

  it('is the same where the guest was last healthy at the same point, whenever that is noticed', () => {
    const hang = (detectedMs: number, healthyMs: number) =>
      crashAt(detectedMs, { kind: 'hang', healthyAtNs: healthyMs * MS });
    expect(verdicts(hang(300, 95), hang(290, 95))).toEqual(['new', 'same']);
    expect(verdicts(hang(300, 95), hang(290, 90))).toEqual(['new', 'another']);
  });

  it('is the same where the guest gave no sign of health since the last recovery', () => {
    const hang = (detectedMs: number, healthyMs: number, leftMs: number) =>
      crashAt(detectedMs, { kind: 'hang', healthyAtNs: healthyMs * MS, leftAtNs: leftMs * MS });
    const first = crashAt(300, { kind: 'hang', healthyAtNs: 95 * MS });
    expect(verdicts(first, hang(600, 250, 250))).toEqual(['new', 'same']);
    expect(verdicts(first, hang(600, 252, 250))).toEqual(['new', 'new']);
    expect(verdicts(crashAt(300), hang(600, 250, 250))).toEqual(['new', 'new']);
  });

  it('is the same as any of those before, whatever came in between', () => {
    const other = { cause: 'load-access-fault' };
    expect(verdicts(crashAt(100), crashAt(60, other), crashAt(100))).toEqual(['new', 'another', 'same']);
    const looked = { jitterNs: 20 * MS };
    expect(verdicts(crashAt(100, looked), crashAt(60, other), crashAt(110, looked))).toEqual([
      'new',
      'another',
      'same',
    ]);
    const unhealthy = { healthyAtNs: 20 * MS, leftAtNs: 20 * MS };
    expect(verdicts(crashAt(100), crashAt(60, other), crashAt(300, unhealthy))).toEqual([
      'new',
      'another',
      'same',
    ]);
  });

  it('is the same at the same time of detection, whenever the guest was healthy last', () => {
    const healthy = (ms: number) => crashAt(100, { kind: 'hang', healthyAtNs: ms * MS });
    expect(verdicts(healthy(40), healthy(70))).toEqual(['new', 'same']);
  });

  it('is the same where one of the two has no place', () => {
    expect(verdicts(crashAt(100, { place: 'pc 8' }), crashAt(100))).toEqual(['new', 'same']);
    expect(verdicts(crashAt(100), crashAt(100, { place: 'pc 8' }))).toEqual(['new', 'same']);
  });

  it('is new once everything before is forgotten', () => {
    const episode = new Episode();
    episode.add(crashAt(100), 'new');
    episode.clear();
    expect(episode.judge(crashAt(100))).toBe('new');
  });
});

describe('an episode', () => {
  it('has three failures at most that are not the same, however they differ', () => {
    const failures = fc.array(
      fc.record({ ms: fc.integer({ min: 0, max: 100 }), cause: fc.constantFrom('a', 'b', 'c', 'd') }),
      { minLength: 4, maxLength: 12 },
    );
    fc.assert(
      fc.property(failures, (rest) => {
        const all = [crashAt(100), ...rest.map(({ ms, cause }) => crashAt(ms, { cause }))];
        expect(verdicts(...all).slice(3)).toEqual(rest.slice(2).map(() => 'same'));
      }),
    );
  });

  it('begins again with a guest that has come further, so the others are counted from there', () => {
    const failures = [100, 60, 70, 150, 60, 70, 80].map((ms) => crashAt(ms));
    expect(verdicts(...failures)).toEqual(['new', 'another', 'another', 'new', 'another', 'another', 'same']);
  });
});
