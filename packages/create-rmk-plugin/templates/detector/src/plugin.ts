import { definePlugin, DURATION_HINT, isDuration, nanoseconds, P_VMIO, type Duration } from '@rmk/core';
import { z } from 'zod';
import { PluginName } from './pluginName.js';

const pluginNameOptions = z.strictObject({
  /** What the guest puts out when something is wrong with it. */
  text: z
    .string()
    .regex(/^[\x20-\x7e]+$/, 'expected ASCII characters, one at least')
    .default('panic:'),
  /** Where it does so: a device of P_VMIO. */
  device: z.string().min(1).default('uart'),
  /** The longest time from an error until the text is reported. */
  within: z.custom<Duration>(isDuration, DURATION_HINT).default('100ms'),
});

export type PluginNameOptions = z.output<typeof pluginNameOptions>;

/** What the kernel checks before it runs anything. */
export const pluginName = definePlugin({
  name: 'rmk-plugin-plugin-name',
  version: '0.1.0',
  rmk: '^0.0.0-rmk',
  requires: [P_VMIO],
  events: ['EVT_PLUGINNAMESEEN'],
  modules: [PluginName],
  options: pluginNameOptions,
  // The bound on the latency: so far back the checkpoints have to reach.
  detects: ({ within }) => [{ kind: 'panic', boundNs: nanoseconds(within) }],
});
