import { readdirSync, readFileSync } from 'node:fs';
import * as core from '@rmk/core';
import { expect, it } from 'vitest';

/** What the kernel itself provides and publishes. */
const OWN_TOKENS = ['BUS', 'CLOCK', 'OPTIONS', 'INSTALLATION_STATE', 'DETECTIONS', 'VIRTUAL_MACHINE'];
const OWN_EVENTS = /^EVT_(PLUGIN[A-Z]+|WARNING)$/;

const sources = new URL('../src/', import.meta.url);
const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const mechanisms = [
  ...Object.entries(core).flatMap(([name, value]) =>
    typeof value === 'symbol' && !OWN_TOKENS.includes(name) ? [name] : [],
  ),
  ...core.CORE_EVENTS.filter((name) => !OWN_EVENTS.test(name)),
];

it('the kernel names no token and no event of a mechanism', () => {
  expect(mechanisms).toContain('CHECKPOINTS');
  expect(mechanisms).toContain('EVT_CHECKPOINTED');
  expect(files.length).toBeGreaterThan(20);
  const named = files.flatMap((file) => {
    const words = new Set(readFileSync(new URL(file, sources), 'utf8').match(/\w+/g));
    return mechanisms.filter((name) => words.has(name)).map((name) => `${file}: ${name}`);
  });
  expect(named).toEqual([]);
});
