import { CHECKPOINTS, P_VCPU } from '@rmk/core';
import type { WorkloadName } from '@rmk/guests';
import type { Extent } from './programRun.js';
import { machineOptions, TestedGuest, type Engine } from './testedGuest.js';
import type { HostClock } from './threadTime.js';

export interface RecoveryTime {
  readonly program: string;
  /** 0 is the newest checkpoint. */
  readonly age: number;
  readonly pagesRestored: number;
  /** Host time of the rollback. */
  readonly ms: number;
}

const INTERVAL_MS = 50;
const AGES = [0, 1, 2, 3];
/** §8.4: rolls a program back to checkpoints of several ages, each time in the middle of an epoch. */
export async function recoveryTimes(
  program: WorkloadName,
  engine: Engine,
  { warmUpMs }: Extent,
  clock: HostClock,
): Promise<readonly RecoveryTime[]> {
  const protection = { name: 'cowp', algorithm: 'cowp', intervalMs: INTERVAL_MS } as const;
  await using guest = TestedGuest.start(machineOptions(program, engine), engine, clock);
  await using protectedGuest = await guest.protect(protection);
  const { domain } = protectedGuest;
  if (domain === undefined) return [];
  const checkpoints = domain.get(CHECKPOINTS);
  const times: RecoveryTime[] = [];
  await guest.advance(warmUpMs + INTERVAL_MS / 2);
  for (const age of AGES) {
    const to = checkpoints.retained[age];
    if (to === undefined) continue;
    const suspension = await domain.get(P_VCPU).suspend();
    const started = performance.now();
    const { pagesRestored } = await checkpoints.rollback(to);
    times.push({ program, age, pagesRestored, ms: performance.now() - started });
    await domain.get(P_VCPU).resume(suspension);
    await guest.advance(warmUpMs / AGES.length);
  }
  return times;
}
