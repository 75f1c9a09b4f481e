import type { RecoveryRecord } from '@rmk/core';
import { colour } from './colour.js';
import { durationText } from './durationText.js';

/** A recovery in a line, for people. */
export function recoveryText({
  rung,
  checkpoint,
  corruptionRisk,
  pagesRestored,
  workLostNs,
  durationHostNs,
}: RecoveryRecord): string {
  const took = `in ${durationText(durationHostNs)} of host time`;
  if (checkpoint === undefined) return `${colour.yellow('restarted')} (rung ${rung}) ${took}`;
  // A target is chosen for its low risk; the other rungs have what there is.
  const odds =
    rung === 'only' && corruptionRisk !== undefined
      ? `, which holds the error with ${(100 * corruptionRisk).toFixed(1)} %`
      : '';
  return (
    `${colour.green('rolled back')} (rung ${rung}${odds}) to a checkpoint ${durationText(checkpoint.ageNs)} old: ` +
    `${pagesRestored} pages restored, ${durationText(workLostNs ?? 0)} of work lost, ${took}`
  );
}
