import type { Checkpoints, Detections, Nanoseconds } from '@rmk/core';
import { percent, risksOf } from './risk.js';

/** By how much the retained checkpoints fall short of the slowest detector. Undefined if they reach far enough. */
export function historyShortfall(
  { retain, intervalNs }: Pick<Checkpoints, 'retain' | 'intervalNs'>,
  { all, longestBoundNs }: Detections,
): string | undefined {
  const reachNs = (retain - 1) * intervalNs;
  if (reachNs >= longestBoundNs) return undefined;
  const slowest = all.find(({ boundNs }) => boundNs === longestBoundNs);
  const [worst] = risksOf(slowest === undefined ? [] : [slowest], { retain, intervalNs });
  return (
    `${retain} checkpoints ${milliseconds(intervalNs)} apart reach back ${milliseconds(reachNs)}, and ${slowest?.plugin} ` +
    `may report a ${slowest?.kind} ${milliseconds(longestBoundNs)} after it arose: retain at least ` +
    `${Math.ceil(longestBoundNs / intervalNs) + 1} checkpoints, or take them further apart. ` +
    `As it stands, the rollback target of a ${slowest?.kind} holds the error with a probability of ` +
    `${slowest?.quantile === undefined ? 'up to ' : ''}${percent(worst?.risk ?? 1)}`
  );
}

function milliseconds(ns: Nanoseconds): string {
  return `${ns / 1e6} ms`;
}
