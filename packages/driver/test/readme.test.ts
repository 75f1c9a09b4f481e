import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

it('the README lists every file', () => {
  const listed = [...text('../README.md').matchAll(/^\| `(\w+\.ts)` +\|/gm)].map(([, name]) => name);
  const files = readdirSync(new URL('../src', import.meta.url)).filter((name) => name !== 'index.ts');
  expect(new Set(listed)).toEqual(new Set(files));
});
