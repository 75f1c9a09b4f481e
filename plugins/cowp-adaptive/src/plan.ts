import type { EpochReport } from '@rmk/core';

/**
 * Whether saving ahead what the epoch before had written would have paid over the history: each page foreseen saves a
 * page fault less what saving it costs anyway, each one foreseen in vain costs that. Without two epochs to compare it
 * does, as the paper assumes. What was written depends on no algorithm, so the answer does not depend on earlier
 * answers.
 */
export function preSavingPays(history: readonly EpochReport[], faultCost: number): boolean {
  let gain = 0;
  for (const [index, { updated }] of history.entries()) {
    const foreseen = history[index + 1]?.updated;
    if (foreseen === undefined) break;
    const written = new Set(updated);
    for (const frame of foreseen) gain += written.has(frame) ? faultCost - 1 : -1;
  }
  return gain >= 0;
}
