import { expect, it } from 'vitest';
import { assembled, CYCLE_NS, spins } from './guestFixtures.js';

it('input never arrives before its time: within a cycle it waits for the next one', () => {
  const times = [1, CYCLE_NS - 1, CYCLE_NS, CYCLE_NS + 1, 5 * CYCLE_NS];
  const data = Uint8Array.of(1);
  const { machine } = assembled(spins, { input: times.map((ns) => ({ at: `${ns}ns`, data })) });
  expect(machine.snapshot().input.chunks.map(({ atCycle }) => atCycle)).toEqual([1, 1, 1, 2, 5]);
});
