import type { Checkpoints, Detections, Nanoseconds } from '@rmk/core';
import { corruptionRisk, percent, retainFor } from './risk.js';

/** By how much the retained checkpoints fall short of the slowest detector. Undefined if they reach far enough. */
export function historyShortfall(
  { retain, intervalNs }: Pick<Checkpoints, 'retain' | 'intervalNs'>,
  { all }: Pick<Detections, 'all'>,
): string | undefined {
  const reachNs = (retain - 1) * intervalNs;
  const [slowest] = all.toSorted((a, b) => b.boundNs - a.boundNs);
  if (slowest === undefined || reachNs >= slowest.boundNs) return undefined;
  const { plugin, kind, boundNs, quantile } = slowest;
  const risk = percent(corruptionRisk(slowest, { retain, intervalNs }));
  return (
    `${retain} checkpoints ${milliseconds(intervalNs)} apart reach back ${milliseconds(reachNs)}, and ${plugin} ` +
    `may report a ${kind} ${milliseconds(boundNs)} after it arose: retain at least ` +
    `${retainFor(boundNs, intervalNs)} checkpoints, or take them further apart. ` +
    `As it stands, the rollback target of a ${kind} holds the error with a probability of ` +
    `${quantile === undefined ? 'up to ' : ''}${risk}`
  );
}

function milliseconds(ns: Nanoseconds): string {
  return `${ns / 1e6} ms`;
}
