import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { LiveReport } from '../src/run/liveReport.js';

it.each([
  [0, 'no checkpoint taken'],
  [1, '1 checkpoint lost'],
  [2, '2 checkpoints lost'],
])('reports the loss of %d checkpoints in words that fit', (checkpoints, words) => {
  const written: string[] = [];
  const write = (text: string) => void written.push(stripVTControlCharacters(text));
  const report = new LiveReport({ out: write, err: write }, 'none');
  report.event('vm', 'EVT_CHECKPOINTLOST', {
    atNs: 5e6,
    reason: 'the log area is full',
    checkpoints,
    endsProtection: true,
    source: '@rmk/checkpoint',
    sequence: 1,
  });
  expect(written.join('')).toContain(`${words}: the log area is full`);
});
