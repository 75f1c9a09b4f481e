import { readdirSync, readFileSync } from 'node:fs';
import { checkPlan, closedError, FactEmitter, offsetIn, TimerQueue } from '@rmk/driver';
import { expect, it } from 'vitest';

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

const printed: string[] = [];
const console = { log: (what: unknown) => void printed.push(String(what)) };

it('the README shows an example with what it prints', async () => {
  const facts = new FactEmitter();
  facts.observe('exited', ({ atNs, code }) => console.log(`off at ${atNs} ns with code ${code}`));
  facts.emit('exited', { atNs: 1500, code: 0 });

  const timers = new TimerQueue();
  timers.add(20, undefined, () => console.log('a timer of 20 ns'));
  timers.add(10, undefined, () => console.log('a timer of 10 ns'));
  while (timers.fireDue(20));

  checkPlan({ preSave: 'none', clusterPages: 8 }, 64);
  console.log(offsetIn({ begin: 0x8000_0000, bytes: 1 << 20 }, 0x8000_1000, 16, 'web'));
  console.log(closedError('web').message);

  const here = text('readme.test.ts');
  const body = here
    .slice(here.indexOf('  const facts'), here.indexOf('\n\n  const here'))
    .replaceAll(/^ {2}/gm, '');
  expect(text('../README.md')).toContain(`\n\n${body}\n\`\`\`\n`);
  expect(text('../README.md')).toContain(`\`\`\`\n${printed.join('\n')}\n\`\`\``);
});

it('the README lists every file', () => {
  const listed = [...text('../README.md').matchAll(/^\| `(\w+\.ts)` +\|/gm)].map(([, name]) => name);
  const files = readdirSync(new URL('../src', import.meta.url)).filter((name) => name !== 'index.ts');
  expect(new Set(listed)).toEqual(new Set(files));
});
