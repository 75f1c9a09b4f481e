import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BeatMatcher } from '../src/beatMatcher.js';

/** Few letters, so that beats overlap with themselves and with each other. */
const letters = (lengths: { readonly minLength: number; readonly maxLength: number }) =>
  fc.array(fc.constantFrom(0x61, 0x62), lengths).map((bytes) => Uint8Array.from(bytes));

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('the beats in a stream', () => {
  it('are those that a search in the whole of it finds, wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        letters({ minLength: 1, maxLength: 6 }),
        fc.array(letters({ minLength: 0, maxLength: 8 }), { maxLength: 12 }),
        (beat, pieces) => {
          const matcher = new BeatMatcher(beat);
          let whole = '';
          for (const piece of pieces) {
            const before = whole.length;
            whole += text(piece);
            const end = whole.lastIndexOf(text(beat)) + beat.length;
            const isFound = whole.includes(text(beat)) && end > before;
            expect(matcher.endsIn(piece)).toBe(isFound);
          }
        },
      ),
    );
  });

  it('go on from where the stream was turned back to', () => {
    const matcher = new BeatMatcher(new TextEncoder().encode('alive'));
    expect(matcher.endsIn(new TextEncoder().encode('... ali'))).toBe(false);
    const { matched } = matcher;
    expect(matcher.endsIn(new TextEncoder().encode('xx'))).toBe(false);
    matcher.matched = matched;
    expect(matcher.endsIn(new TextEncoder().encode('ve'))).toBe(true);
  });

  it('are all bytes where no beat is given, and none where there are no bytes', () => {
    const matcher = new BeatMatcher(new Uint8Array(0));
    expect(matcher.endsIn(Uint8Array.of(0))).toBe(true);
    expect(matcher.endsIn(new Uint8Array(0))).toBe(false);
  });
});
