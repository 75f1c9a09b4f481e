import type { Plugin } from '@rmk/core';
import { DEFAULT_SIGNS } from '@rmk/hang-detector';
import type { CountedLife } from './guestProfile.js';

const HANG_DETECTOR = '@rmk/hang-detector';
const HEARTBEAT_DETECTOR = '@rmk/heartbeat-detector';

/** What the detectors among these plugins count. Their options are checked where a domain is made, not here. */
export function countedBy(plugins: readonly Plugin[]): CountedLife {
  const [signs = DEFAULT_SIGNS] = optionsOf(plugins, HANG_DETECTOR).flatMap((options) => {
    const given = options['signs'];
    return Array.isArray(given)
      ? [(given as readonly unknown[]).filter((sign) => typeof sign === 'string')]
      : [];
  });
  const beats = optionsOf(plugins, HEARTBEAT_DETECTOR).flatMap(({ device, beat }) => {
    const bytes = typeof beat === 'string' ? new TextEncoder().encode(beat) : beat;
    return typeof device === 'string' && bytes instanceof Uint8Array ? [[device, bytes] as const] : [];
  });
  return { signs, beats: new Map(beats) };
}

function optionsOf(plugins: readonly Plugin[], name: string): readonly Readonly<Record<string, unknown>>[] {
  return plugins
    .filter(({ definition }) => definition.name === name)
    .map(({ options }) => (typeof options === 'object' && options !== null ? { ...options } : {}));
}
