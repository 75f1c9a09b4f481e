import { expect, it } from 'vitest';
import { stateBenchmark } from '../src/stateBenchmark.js';

it('measures a checkpoint, a copy, a snapshot and a state of v86 of the same memory', async () => {
  const { ways } = await stateBenchmark({ rounds: 2, memory: 4, pages: 20 });
  expect(ways.map(({ way }) => way)).toEqual([
    'checkpoint, 20 pages written',
    'copy of all memory',
    'snapshot',
    'v86 save_state',
  ]);
  const [checkpoint = 0, copy, snapshot = 0, state = 0] = ways.map(({ bytes }) => bytes);
  // The pages written and the context, against all of memory, or the three quarters that are not zero.
  expect(checkpoint).toBeGreaterThan(20 * 4096);
  expect(checkpoint).toBeLessThan(21 * 4096);
  expect(copy).toBe(4 << 20);
  expect(snapshot).toBeGreaterThanOrEqual(3 << 20);
  expect(state).toBeGreaterThanOrEqual(3 << 20);
  for (const { us, ratio } of ways) expect(us.low * ratio.low).toBeGreaterThan(0);
});
