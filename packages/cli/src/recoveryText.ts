import type { RecoveryRecord } from '@rmk/core';
import { colour } from './colour.js';
import { durationText } from './durationText.js';

/** A recovery in a line, for people. */
export function recoveryText({
  rung,
  checkpoint,
  pagesRestored,
  workLostNs,
  durationHostNs,
}: RecoveryRecord): string {
  const took = `in ${durationText(durationHostNs)} of host time`;
  if (checkpoint === undefined) return `${colour.yellow('restarted')} (rung ${rung}) ${took}`;
  return (
    `${colour.green('rolled back')} (rung ${rung}) to a checkpoint ${durationText(checkpoint.ageNs)} old: ` +
    `${pagesRestored} pages restored, ${durationText(workLostNs ?? 0)} of work lost, ${took}`
  );
}
