import type { Checkpoints, Detection, Detections, Nanoseconds } from '@rmk/core';
import type { InstalledPlugin } from './installedPlugin.js';

/**
 * What the plugins that are pending, starting or active promise to detect, as it stands now. Not only the active count, so
 * that a checkpoint agent, which starts before the detectors, knows from the first how far back it has to reach.
 */
export class LiveDetections implements Detections {
  constructor(private readonly plugins: readonly InstalledPlugin[]) {}

  get all(): readonly (Detection & { readonly plugin: string })[] {
    return this.plugins
      .filter(({ state }) => state === 'pending' || state === 'starting' || state === 'active')
      .flatMap(({ name, checked }) =>
        checked.detections.map((detection) => ({ ...detection, plugin: name })),
      );
  }

  get longestBoundNs(): Nanoseconds {
    return Math.max(0, ...this.all.map(({ boundNs }) => boundNs));
  }
}

/** Says by how much the retained checkpoints fall short of the slowest detector; `undefined` where they reach far enough. */
export function historyShortfall(
  { retain, intervalNs }: Checkpoints,
  { all, longestBoundNs }: Detections,
): string | undefined {
  const reachNs = (retain - 1) * intervalNs;
  if (reachNs >= longestBoundNs) return undefined;
  const slowest = all.find(({ boundNs }) => boundNs === longestBoundNs);
  return (
    `${retain} checkpoints ${milliseconds(intervalNs)} apart reach back ${milliseconds(reachNs)}, and ${slowest?.plugin} ` +
    `may report a ${slowest?.kind} ${milliseconds(longestBoundNs)} after it arose: retain at least ` +
    `${Math.ceil(longestBoundNs / intervalNs) + 1} checkpoints, or take them further apart`
  );
}

function milliseconds(ns: Nanoseconds): string {
  return `${ns / 1e6} ms`;
}
