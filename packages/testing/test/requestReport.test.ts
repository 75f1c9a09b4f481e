import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outputBytes, requestReport, type ExpectedAnswer, type TranscriptEntry } from '../src/index.js';

const EXPECTED: readonly ExpectedAnswer[] = [
  { id: 'a', answer: 'a ok 1' },
  { id: 'b', answer: 'b ok 2' },
  { id: 'c', answer: 'c none' },
];

function put(atNs: number, text: string): TranscriptEntry {
  return { atNs, data: new TextEncoder().encode(text) };
}

function strike(atNs: number, struck: number | 'all'): TranscriptEntry {
  return { atNs, struck };
}

function textOf(bytes: readonly { readonly byte: number }[]): string {
  return Buffer.from(bytes.map(({ byte }) => byte)).toString();
}

describe('requestReport', () => {
  it('finds each request answered once and right', () => {
    const all = { answered: 3, lost: [], duplicated: [], wrong: [], others: ['ready', 'bye'] };
    expect(requestReport(EXPECTED, [put(1, 'ready\na ok 1\nb ok 2\r\n'), put(2, 'c none\nbye')])).toEqual({
      requests: 3,
      committed: all,
      wire: all,
    });
  });

  it('finds what is lost, doubled and wrong', () => {
    const { committed, wire } = requestReport(EXPECTED, [put(5, 'a ok 1\na ok 1\nb ok 3\n')]);
    const answer = { text: 'a ok 1', atNs: 5, isCut: false };
    expect(committed).toEqual({
      answered: 0,
      lost: ['c'],
      duplicated: [{ id: 'a', answers: [answer, answer] }],
      wrong: [{ id: 'b', expected: 'b ok 2', text: 'b ok 3', atNs: 5, isCut: false }],
      others: [],
    });
    expect(wire).toEqual(committed);
  });

  it('takes an answer that is wrong and one that is right for a duplicate, too', () => {
    const { wire } = requestReport(EXPECTED, [put(1, 'a ok 7\n'), put(2, 'a ok 1\n')]);
    expect(wire.duplicated.map(({ id }) => id)).toEqual(['a']);
    expect(wire.wrong.map(({ id, text }) => [id, text])).toEqual([['a', 'a ok 7']]);
  });

  it('finds duplicates on the wire alone where a rollback struck out what had left, and says so', () => {
    const report = requestReport(EXPECTED, [
      put(10, 'a ok 1\nb ok 2\n'),
      strike(30, 7),
      put(40, 'b ok 2\nc none\n'),
    ]);
    expect(report.committed).toEqual({ answered: 3, lost: [], duplicated: [], wrong: [], others: [] });
    expect(report.wire).toEqual({
      answered: 2,
      lost: [],
      duplicated: [
        {
          id: 'b',
          answers: [
            { text: 'b ok 2', atNs: 10, struckAtNs: 30, isCut: false },
            { text: 'b ok 2', atNs: 40, isCut: false },
          ],
        },
      ],
      wrong: [],
      others: [],
    });
  });

  it('shows a line that a rollback cut as it stands on the wire', () => {
    const { committed, wire } = requestReport(EXPECTED, [
      put(10, 'a ok 1\nb o'),
      strike(30, 10),
      put(40, 'a ok 1\nb ok 2\nc none\n'),
    ]);
    expect(committed.answered).toBe(3);
    expect(wire.wrong).toEqual([
      { id: 'b', expected: 'b ok 2', text: 'b oa ok 1', atNs: 40, struckAtNs: 30, isCut: true },
    ]);
  });

  it('strikes out everything at a restart', () => {
    const { committed, wire } = requestReport(EXPECTED, [
      put(1, 'ready\na ok 1\n'),
      strike(2, 'all'),
      put(3, 'ready\na ok 1\nb ok 2\n'),
    ]);
    expect(committed).toMatchObject({ answered: 2, lost: ['c'], others: ['ready'] });
    expect(wire).toMatchObject({ answered: 1, lost: ['c'], others: ['ready', 'ready'] });
  });

  it('counts answers that were wrong and then struck out as wrong on the wire alone', () => {
    const { committed, wire } = requestReport(EXPECTED.slice(0, 1), [
      put(1, 'a ok 9\n'),
      strike(2, 7),
      put(3, 'a ok 1\n'),
    ]);
    expect(committed).toMatchObject({ answered: 1, wrong: [] });
    expect(wire).toMatchObject({ answered: 0, wrong: [{ text: 'a ok 9', struckAtNs: 2 }] });
  });

  it('has every request lost where nothing was put out', () => {
    expect(requestReport(EXPECTED, []).committed.lost).toEqual(['a', 'b', 'c']);
  });

  it('refuses two requests of one identifier, and a transcript with a gap', () => {
    expect(() => requestReport([...EXPECTED, ...EXPECTED], [])).toThrow(
      'RMK_ERR_INPUT: two requests have the same identifier: give each one of its own',
    );
    expect(() => requestReport(EXPECTED, [put(1, 'abc'), strike(9, 4)])).toThrow(
      'RMK_ERR_INPUT: the transcript strikes out 4 bytes at 9 ns, and only 3 stand there: give all of it, in order',
    );
  });

  it('says of a server that replays after any rollbacks what a count of its lines says', () => {
    const lines = Array.from({ length: 12 }, (_, i) => `id${i} ok ${i * i}`);
    const expected = lines.map((answer, i) => ({ id: `id${i}`, answer }));
    // Of each step: how many lines are answered, and how many are then undone.
    const steps = fc.array(fc.record({ answered: fc.nat(6), undone: fc.nat(6) }), { maxLength: 8 });
    fc.assert(
      fc.property(steps, (script) => {
        const times = Array.from(lines, () => 0);
        const transcript: TranscriptEntry[] = [];
        let next = 0;
        let now = 0;
        const answer = (count: number): void => {
          for (let i = 0; i < count && next < lines.length; i++, next++) {
            transcript.push(put(++now, `${lines[next]}\n`));
            times[next] = (times[next] ?? 0) + 1;
          }
        };
        for (const { answered, undone } of script) {
          answer(answered);
          const from = Math.max(0, next - undone);
          const bytes = lines.slice(from, next).reduce((sum, line) => sum + line.length + 1, 0);
          transcript.push(strike(++now, bytes));
          next = from;
        }
        answer(lines.length);
        const { committed, wire } = requestReport(expected, transcript);
        expect(committed).toEqual({ answered: 12, lost: [], duplicated: [], wrong: [], others: [] });
        expect(wire.answered).toBe(times.filter((count) => count === 1).length);
        expect(wire.duplicated.map(({ id, answers }) => [id, answers.length])).toEqual(
          times.flatMap((count, i) => (count > 1 ? [[`id${i}`, count]] : [])),
        );
        for (const { answers } of wire.duplicated) {
          expect(answers.map(({ struckAtNs }) => struckAtNs === undefined).indexOf(true)).toBe(
            answers.length - 1,
          );
        }
      }),
    );
  });
});

describe('outputBytes', () => {
  it('gives the committed output back, wherever the cuts are', () => {
    const text = 'The guest wrote this once, and part of it again.';
    fc.assert(
      fc.property(fc.array(fc.record({ ahead: fc.nat(30), back: fc.nat(30) })), (steps) => {
        const transcript: TranscriptEntry[] = [];
        let at = 0;
        let left = '';
        for (const [index, { ahead, back }] of [...steps, { ahead: text.length, back: 0 }].entries()) {
          const piece = text.slice(at, at + ahead);
          left += piece;
          at += piece.length;
          const struck = Math.min(back, at);
          at -= struck;
          transcript.push(put(index, piece), strike(index, struck));
        }
        const bytes = outputBytes(transcript);
        expect(textOf(bytes)).toBe(left);
        expect(textOf(bytes.filter(({ struckAtNs }) => struckAtNs === undefined))).toBe(text);
      }),
    );
  });
});
