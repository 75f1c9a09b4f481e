import type { WorkloadName } from '@rmk/guests';
import { plainStretch } from './pairedTimes.js';
import { machineOptions, TestedGuest } from './testedGuest.js';
import type { HostClock } from './threadTime.js';

const INTERVAL_MS = 50;
const PAIRS_A_ROUND = 3;

/**
 * Host time of translated code with the check of each store for a protected page, to that without: pairs of stretches
 * of the same guest work. Each round has two new VMs, since no two are compiled alike.
 */
export async function storeCheckRatios(
  program: WorkloadName,
  rounds: number,
  warmUpMs: number,
  clock: HostClock,
): Promise<readonly number[]> {
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const options = machineOptions(program, 'translator');
    await using checked = TestedGuest.start(options, 'translator', clock);
    await using unchecked = TestedGuest.start({ ...options, storeCheck: false }, 'translator', clock);
    for (const guest of round % 2 === 0 ? [checked, unchecked] : [unchecked, checked])
      await guest.advance(warmUpMs);
    const from = checked.machine.snapshot();
    for (let pair = 0; pair < PAIRS_A_ROUND; pair++) {
      const first = await plainStretch(unchecked, from, INTERVAL_MS);
      const second = await plainStretch(checked, from, INTERVAL_MS);
      const third = await plainStretch(checked, from, INTERVAL_MS);
      const last = await plainStretch(unchecked, from, INTERVAL_MS);
      ratios.push((second + third) / (first + last));
    }
  }
  return ratios;
}
