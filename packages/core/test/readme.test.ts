import { readFileSync } from 'node:fs';
import * as core from '@rmk/core';
import { describe, expect, it } from 'vitest';

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

/** The first cells of the table under a heading of the README. */
function listed(heading: string): readonly string[] {
  const section = text('../README.md').split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `(.+?)` +\|/gm)].map(([, cell = '']) => cell);
}

describe('the README', () => {
  it('lists every event', () => {
    const declared = [...text('../src/events.ts').matchAll(/^ {2}(EVT_[A-Z]+):/gm)].map(
      ([, name = '']) => name,
    );
    expect(declared.length).toBeGreaterThan(0);
    expect(listed('Events')).toEqual(expect.arrayContaining(declared));
    expect(listed('Events')).toHaveLength(declared.length);
  });

  it('lists every token', () => {
    const tokens = Object.entries(core).flatMap(([name, value]) => (typeof value === 'symbol' ? [name] : []));
    expect([...listed('Tokens')].toSorted()).toEqual(tokens.toSorted());
  });

  it('lists every field of a manifest', () => {
    const section = text('../README.md').split('\n## The manifest\n')[1]?.split('\n## ')[0] ?? '';
    const fields = [...section.matchAll(/^\| (`.+?`) +\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, field]) => field),
    );
    type Field = keyof core.PluginDefinition;
    const all: Record<Field, true> = {
      name: true,
      version: true,
      rmk: true,
      requires: true,
      optional: true,
      provides: true,
      modules: true,
      companions: true,
      capabilities: true,
      before: true,
      after: true,
      events: true,
      onFailure: true,
      options: true,
      detects: true,
    };
    expect(fields).toEqual(Object.keys(all));
  });

  it('lists every file', () => {
    const exported = [...text('../src/index.ts').matchAll(/'\.\/(.+)\.js'/g)].map(
      ([, name = '']) => `${name}.ts`,
    );
    expect([...listed('Map')].toSorted()).toEqual(exported.toSorted());
  });
});
