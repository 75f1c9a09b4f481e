import type { Domain } from '@rmk/core';
import { expect } from 'vitest';

const REPETITIONS = 5;

/**
 * Does something several times, such as an install and a removal or a detection and its recovery, and fails where each
 * time more is registered with the domain: the message names the plugin and the label. What is left when the domain
 * stops is found by the rig anyway.
 */
export async function expectNoLeaks(
  { domain }: { readonly domain: Domain },
  work: (repetition: number) => Promise<void>,
  repetitions = REPETITIONS,
): Promise<void> {
  // What is registered the first time, to stay, is no leak.
  await work(0);
  const before = countsOf(domain);
  for (let repetition = 1; repetition <= repetitions; repetition++) await work(repetition);
  const growing = [...countsOf(domain)]
    .map(([what, count]) => ({ what, growth: count - (before.get(what) ?? 0) }))
    .filter(({ growth }) => growth >= repetitions)
    .map(({ what, growth }) => `${what}: ${growth} more after ${repetitions} repetitions`);
  if (growing.length > 0) expect.fail(`leaks:\n${growing.join('\n')}`);
}

/** How often each plugin has each label registered. */
function countsOf({ plugins }: Domain): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { name, registered } of plugins) {
    for (const label of registered) {
      const what = `${name} registers ${label}`;
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
  }
  return counts;
}
