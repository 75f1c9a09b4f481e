import { describe, expect, it } from 'vitest';
import { isWanted } from '../src/colour.js';

describe('colours', () => {
  it.each([
    ['a terminal', {}, true, true],
    ['a pipe', {}, undefined, false],
    ['a pipe of a CI', { CI: 'true' }, undefined, false],
    ['a dumb terminal', { TERM: 'dumb' }, true, false],
    ['a terminal without colours wanted', { NO_COLOR: '1' }, true, false],
    ['a pipe with colours forced', { FORCE_COLOR: '1' }, undefined, true],
  ])('%s', (_, environment, isTerminal, wanted) => {
    expect(isWanted(environment, isTerminal)).toBe(wanted);
  });
});
