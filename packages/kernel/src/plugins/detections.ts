import type { Detection, Detections, Nanoseconds } from '@rmk/core';
import type { InstalledPlugin } from './installedPlugin.js';

/**
 * What the plugins that are pending, starting or active promise to detect, as it stands now. Not only the active count,
 * so that a checkpoint agent, which starts before the detectors, knows from the first how far back it has to reach.
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
