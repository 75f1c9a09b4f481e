import type { Nanoseconds } from '@rmk/core';
import type { Rig } from '../../rig.js';

/** How much of a guest's life a detector has watched without an error. */
export interface Exposure {
  readonly busyInstructions: number;
  readonly busyNs: Nanoseconds;
  readonly idleNs: Nanoseconds;
  readonly haltedNs: Nanoseconds;
}

/** With the false detections in it, as it stands in `task.meta` of a test of a detector. */
export interface FalsePositives extends Exposure {
  readonly found: number;
  /**
   * Upper bounds at 95 % confidence, by the rule of three: none in an exposure is less than 3/exposure. Absent where
   * something was found, or nothing watched.
   */
  readonly atMostPerInstruction?: number;
  readonly atMostPerSecond?: number;
}

declare module 'vitest' {
  interface TaskMeta {
    falsePositives?: FalsePositives;
  }
}

const RULE_OF_THREE = 3;
const NS_PER_SECOND = 1e9;

/** Counts from now on what the guest of a rig does. The guest must not be rolled back meanwhile. */
export function watch(rig: Rig): () => Exposure {
  const { instructions } = rig.machine;
  const spent = { busyNs: 0, idleNs: 0, haltedNs: 0 };
  rig.domain.bus.on('EVT_VMSCHEDULED', ({ cpuNs, idleNs, haltedNs }) => {
    spent.busyNs += cpuNs;
    spent.idleNs += idleNs;
    spent.haltedNs += haltedNs;
  });
  return () => ({ ...spent, busyInstructions: rig.machine.instructions - instructions });
}

export function sumOf(exposures: readonly Exposure[]): Exposure {
  const sum = (of: keyof Exposure) => exposures.reduce((total, exposure) => total + exposure[of], 0);
  return {
    busyInstructions: sum('busyInstructions'),
    busyNs: sum('busyNs'),
    idleNs: sum('idleNs'),
    haltedNs: sum('haltedNs'),
  };
}

export function falsePositives(exposure: Exposure, found: number): FalsePositives {
  const seconds = (exposure.busyNs + exposure.idleNs + exposure.haltedNs) / NS_PER_SECOND;
  const { busyInstructions } = exposure;
  return {
    ...exposure,
    found,
    ...(found === 0 && busyInstructions > 0
      ? { atMostPerInstruction: RULE_OF_THREE / busyInstructions }
      : {}),
    ...(found === 0 && seconds > 0 ? { atMostPerSecond: RULE_OF_THREE / seconds } : {}),
  };
}

/** For people. */
export function reportOf({
  found,
  busyInstructions,
  busyNs,
  idleNs,
  haltedNs,
  atMostPerInstruction,
  atMostPerSecond,
}: FalsePositives): string {
  const seconds = (ns: Nanoseconds) => (ns / NS_PER_SECOND).toFixed(2);
  const exposure =
    `${found} false detections in ${busyInstructions} instructions and ${seconds(busyNs + idleNs + haltedNs)} s ` +
    `of domain time (${seconds(busyNs)} s busy, ${seconds(idleNs)} s idle, ${seconds(haltedNs)} s halted)`;
  if (atMostPerInstruction === undefined || atMostPerSecond === undefined) return exposure;
  return (
    `${exposure}; 3/exposure: at most ${atMostPerInstruction.toExponential(1)} an instruction and ` +
    `${atMostPerSecond.toPrecision(2)} a second, at 95 % confidence`
  );
}
