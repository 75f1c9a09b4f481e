import { describe, expect, it } from 'vitest';
import { Repetitions } from '../src/run/repetitions.js';

describe('what happens again and again', () => {
  it('is reported at growing distance while code is pending, and at once for the next code', () => {
    const repetitions = new Repetitions();
    const shown = (forMs: readonly number[], plugin = 'one') =>
      forMs.flatMap((ms) => {
        const pending = repetitions.pending('guest', plugin, 'timer', ms);
        return pending === 'not' ? [] : [`${pending} ${ms}`];
      });
    const seconds = Array.from({ length: 20 }, (_, index) => (index + 1) * 1000);
    const growing = ['first 1000', 'again 2000', 'again 4000', 'again 8000', 'again 16000'];
    expect(shown(seconds)).toEqual(growing);
    expect(shown(seconds)).toEqual(growing);
    expect(shown([1000], 'other')).toEqual(['first 1000']);
    expect(shown([1000, 2000], 'other')).toEqual(['first 1000', 'again 2000']);
  });

  it('is the same fault only for the same text of the same plugin and guest, in a row', () => {
    const repetitions = new Repetitions();
    const given = [
      ['a', 'one', 'x'],
      ['a', 'one', 'x'],
      ['a', 'two', 'x'],
      ['b', 'one', 'x'],
      ['a', 'one', 'y'],
      ['a', 'one', 'x'],
      ['a', 'one', 'x'],
    ] as const;
    expect(given.map(([guest, plugin, text]) => repetitions.isSameFault(guest, plugin, text))).toEqual([
      false,
      true,
      false,
      false,
      false,
      false,
      true,
    ]);
  });
});
