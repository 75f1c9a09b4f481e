import { describe, expect, it } from 'vitest';
import { Rewrites } from '../../src/translator/rewrites.js';

const FORGIVEN_EACH = 2 ** 20;

describe('Rewrites', () => {
  it('are too many from the 64th of a page on', () => {
    const rewrites = new Rewrites();
    for (let time = 0; time < 63; time += 1) rewrites.note(3, 0);
    expect(rewrites.areTooMany(3, 0)).toBe(false);
    rewrites.note(3, 0);
    expect(rewrites.areTooMany(3, 0)).toBe(true);
    expect(rewrites.areTooMany(4, 0)).toBe(false);
  });

  it('are forgiven one for a million instructions, so that a page is given up for good by none', () => {
    const rewrites = new Rewrites();
    for (let time = 0; time < 66; time += 1) rewrites.note(3, 0);
    expect(rewrites.areTooMany(3, 2 * FORGIVEN_EACH)).toBe(true);
    expect(rewrites.areTooMany(3, 2 * FORGIVEN_EACH + 1)).toBe(false);
    rewrites.note(3, 3 * FORGIVEN_EACH);
    expect(rewrites.areTooMany(3, 3 * FORGIVEN_EACH)).toBe(true);
    expect(rewrites.areTooMany(3, 4 * FORGIVEN_EACH)).toBe(false);
  });

  it('that come seldom are never too many', () => {
    const rewrites = new Rewrites();
    for (let time = 0; time < 1000; time += 1) {
      rewrites.note(3, time * FORGIVEN_EACH);
      expect(rewrites.areTooMany(3, time * FORGIVEN_EACH)).toBe(false);
    }
  });

  it('are forgotten', () => {
    const rewrites = new Rewrites();
    for (let time = 0; time < 64; time += 1) rewrites.note(3, 0);
    rewrites.forget();
    expect(rewrites.areTooMany(3, 0)).toBe(false);
  });
});
