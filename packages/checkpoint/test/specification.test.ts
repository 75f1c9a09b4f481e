import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  collect,
  restore,
  restoreAll,
  suppliers,
  type MemoryImage,
  type SavedPages,
} from '../src/specification.js';

const frame = fc.nat(9);
const content = fc.uint8Array({ minLength: 2, maxLength: 2 });
const image: fc.Arbitrary<MemoryImage> = fc
  .array(fc.tuple(frame, content), { maxLength: 10 })
  .map((entries) => new Map(entries));
const saved: fc.Arbitrary<SavedPages> = fc
  .array(fc.tuple(frame, fc.oneof(content, fc.constant('absent' as const))), { maxLength: 10 })
  .map((entries) => new Map(entries));
const logs = fc.array(saved, { maxLength: 5 });
const NOTHING: SavedPages = new Map();

/** Equal whatever the order in which a map was filled. */
function pagesOf(map: MemoryImage | SavedPages): ReadonlySet<string> {
  return new Set([...map].map(([page, data]) => `${page}: ${data.toString()}`));
}

/** The pages that change from one state to the next, as they were before: what a driver saves in an epoch. */
function changedPages(before: MemoryImage, after: MemoryImage): SavedPages {
  const frames = new Set([...before.keys(), ...after.keys()]);
  return new Map(
    [...frames]
      .filter((page) => before.get(page)?.toString() !== after.get(page)?.toString())
      .map((page) => [page, before.get(page) ?? 'absent']),
  );
}

describe('restore (eq. 1)', () => {
  it('gives the state at the opening of an epoch from any later one and the pages changed in between', () => {
    fc.assert(
      fc.property(image, image, (opening, now) => {
        expect(pagesOf(restore(now, changedPages(opening, now)))).toEqual(pagesOf(opening));
      }),
    );
  });

  it('does so too where pages are saved that were not changed after all (eq. 3)', () => {
    fc.assert(
      fc.property(image, image, fc.array(frame), (opening, now, expected) => {
        const ahead: SavedPages = new Map(expected.map((page) => [page, opening.get(page) ?? 'absent']));
        const log = new Map([...ahead, ...changedPages(opening, now)]);
        expect(pagesOf(restore(now, log))).toEqual(pagesOf(opening));
      }),
    );
  });

  it('takes each page of the log from the log, every other from the state, and removes what did not exist', () => {
    const state = new Map([
      [1, Uint8Array.of(1)],
      [2, Uint8Array.of(2)],
      [3, Uint8Array.of(3)],
    ]);
    const log: SavedPages = new Map<number, Uint8Array | 'absent'>([
      [2, Uint8Array.of(20)],
      [3, 'absent'],
      [4, Uint8Array.of(40)],
      [5, 'absent'],
    ]);
    expect(restore(state, log)).toEqual(
      new Map([
        [1, Uint8Array.of(1)],
        [2, Uint8Array.of(20)],
        [4, Uint8Array.of(40)],
      ]),
    );
    expect(state.size).toBe(3);
  });

  it('can be done twice, and with an empty log does nothing', () => {
    fc.assert(
      fc.property(image, saved, (state, log) => {
        const once = restore(state, log);
        expect(pagesOf(restore(once, log))).toEqual(pagesOf(once));
        expect(pagesOf(restore(state, NOTHING))).toEqual(pagesOf(state));
      }),
    );
  });
});

describe('restoreAll (eq. 2 and 4)', () => {
  it('leads back through any number of epochs', () => {
    fc.assert(
      fc.property(fc.array(image, { minLength: 1, maxLength: 6 }), (oldestFirst) => {
        const last = oldestFirst.at(-1) ?? new Map<number, Uint8Array>();
        const newestFirst = oldestFirst
          .slice(1)
          .map((after, i) => changedPages(oldestFirst[i] ?? new Map(), after))
          .toReversed();
        for (const [back, target] of oldestFirst.toReversed().entries()) {
          expect(pagesOf(restoreAll(last, newestFirst.slice(0, back)))).toEqual(pagesOf(target));
        }
      }),
    );
  });
});

describe('collect', () => {
  it('keeps the older content of a page that both hold, and every page that one of them holds', () => {
    fc.assert(
      fc.property(saved, saved, (older, newer) => {
        const both = collect(older, newer);
        expect(new Set(both.keys())).toEqual(new Set([...older.keys(), ...newer.keys()]));
        for (const [page, data] of both)
          expect(data).toBe(older.has(page) ? older.get(page) : newer.get(page));
      }),
    );
  });

  it('is associative, and an empty log is its neutral element', () => {
    fc.assert(
      fc.property(saved, saved, saved, (a, b, c) => {
        expect(pagesOf(collect(collect(a, b), c))).toEqual(pagesOf(collect(a, collect(b, c))));
        expect(pagesOf(collect(a, NOTHING))).toEqual(pagesOf(a));
        expect(pagesOf(collect(NOTHING, a))).toEqual(pagesOf(a));
      }),
    );
  });

  it('restores in one pass what its two logs restore in two, the newer first', () => {
    fc.assert(
      fc.property(image, saved, saved, (state, older, newer) => {
        const inOne = restore(state, collect(older, newer));
        expect(pagesOf(inOne)).toEqual(pagesOf(restore(restore(state, newer), older)));
      }),
    );
  });

  it('of any number of logs restores what restoreAll does', () => {
    fc.assert(
      fc.property(image, logs, (state, newestFirst) => {
        const all = newestFirst.reduce((newer, older) => collect(older, newer), NOTHING);
        expect(pagesOf(restore(state, all))).toEqual(pagesOf(restoreAll(state, newestFirst)));
      }),
    );
  });
});

describe('suppliers', () => {
  it('name for each page the oldest log that holds it, which is the one that collect takes it from', () => {
    fc.assert(
      fc.property(logs, (newestFirst) => {
        const all = newestFirst.reduce((newer, older) => collect(older, newer), NOTHING);
        const found = suppliers(newestFirst);
        expect(new Set(found.keys())).toEqual(new Set(all.keys()));
        for (const [page, log] of found) {
          expect(newestFirst[log]?.get(page)).toBe(all.get(page));
          expect(newestFirst.slice(log + 1).some((older) => older.has(page))).toBe(false);
        }
      }),
    );
  });
});
