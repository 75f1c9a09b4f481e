import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as model from '../src/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

/** Runs a block of the README and gives each of its values that a comment states, beside the comment. */
function valuesOf(block: string): readonly (readonly [value: unknown, stated: string])[] {
  const seen: [unknown, string][] = [];
  const body = block
    .replaceAll(/^import (\{[^}]*\}) from '@rmk\/model';$/gm, 'const $1 = model;')
    .replaceAll(/^([^\n/]+); \/\/ ([^\n]+)$/gm, (_line, code: string, stated: string) => {
      const value = /^const (\w+) =/.exec(code)?.[1];
      return value === undefined
        ? `seen(${code}, ${JSON.stringify(stated)});`
        : `${code}; seen(${value}, ${JSON.stringify(stated)});`;
    });
  // oxlint-disable-next-line no-implied-eval, no-new-func -- The block is this package's own text.
  const run = new Function('model', 'seen', body) as (
    library: typeof model,
    see: (value: unknown, stated: string) => void,
  ) => void;
  run(model, (value, stated) => void seen.push([value, stated]));
  return seen;
}

describe('the README', () => {
  it.each(blocks.map((block) => ({ name: block.split('\n').find((line) => line.includes('//')), block })))(
    'states what its code gives: $name',
    ({ block }) => {
      for (const [value, stated] of valuesOf(block)) {
        const number = /^-?[\d.]+/.exec(stated)?.[0];
        if (number === undefined || typeof value !== 'number') continue;
        expect(value.toFixed(number.split('.')[1]?.length ?? 0), stated).toBe(number);
      }
    },
  );

  it('states a dozen numbers and more', () => {
    const numbers = blocks.flatMap(valuesOf).filter(([value]) => typeof value === 'number');
    expect(numbers.length).toBeGreaterThanOrEqual(12);
  });
});
