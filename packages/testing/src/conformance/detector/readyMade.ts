import { RmkError, type Nanoseconds } from '@rmk/core';
import { faults } from '@rmk/campaign';
import type { Rig } from '../../rig.js';
import { TASKS, type ProvokedError, type QuietLife } from './detectorSubject.js';

/** Errors of the guest `tasks` that a detector of hangs must find. */
export const HANGS: readonly ProvokedError[] = [
  { what: 'a task that loops with the timer masked', kind: 'hang', guest: TASKS, inject: faults.taskLoop },
  { what: 'a loop with interrupts off', kind: 'hang', guest: TASKS, inject: faults.hang },
  { what: 'a halt that nothing ends', kind: 'hang', guest: TASKS, inject: faults.halt },
];

/** Errors of the guest `tasks` that a detector of crashes must find. */
export const CRASHES: readonly ProvokedError[] = [
  {
    what: 'a wild jump of a task',
    kind: 'crash',
    guest: TASKS,
    inject: async (rig) => {
      await faults.untilUserMode(rig);
      await faults.crash(rig);
    },
  },
];

const SILENCES = 4;
const MOST_SLICES = 100;

/**
 * The guest `tasks`, whose kernel gives no sign of progress for exactly so long, several times: from its last sign on a
 * task has the processor for itself, without an idle moment.
 */
export function withoutProgress(silenceNs: Nanoseconds): QuietLife {
  return {
    guest: TASKS,
    async live(rig) {
      await rig.advance('50ms');
      for (let silence = 0; silence < SILENCES; silence++) {
        const lastSignNs = await untilBusySlice(rig);
        await faults.holdProcessor(rig, lastSignNs + silenceNs - rig.nowNs);
        await rig.advance('23ms');
      }
    },
  };
}

/** Advances to the end of a slice that was busy and ends in a task; gives the last sign of progress until then. */
async function untilBusySlice(rig: Rig): Promise<Nanoseconds> {
  const { schedulingIntervalNs } = rig.machine;
  for (let slice = 0; slice < MOST_SLICES; slice++) {
    await rig.advance(`${schedulingIntervalNs - (rig.nowNs % schedulingIntervalNs)}ns`);
    const last = rig.events('EVT_VMSCHEDULED').at(-1);
    const signs = last?.progress.map(({ atNs }) => atNs) ?? [];
    if (
      last?.atNs === rig.nowNs &&
      last.idleNs === 0 &&
      signs.length > 0 &&
      (await faults.isInUserMode(rig))
    ) {
      return Math.max(...signs);
    }
  }
  throw new RmkError(
    'RMK_ERR_STATE',
    `no slice of the guest was busy and ended in a task:\n${rig.timeline()}`,
  );
}
