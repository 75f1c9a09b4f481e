import { definePlugin, nanoseconds, P_VMSCHL, type PluginDefinition, type PluginFactory } from '@rmk/core';
import { HangDetector } from './hangDetector.js';
import { InstructionRule } from './instructionRule.js';
import { MissingSigns } from './missingSigns.js';
import { hangDetectorOptions } from './options.js';

type Definition = PluginDefinition<typeof hangDetectorOptions> & {
  readonly options: typeof hangDetectorOptions;
};

/**
 * The module hang-detector. Its bound counts non-idle time: the threshold, the slice at whose end it is reported, and
 * half a slice, since it is not known when in a slice the VM was idle.
 */
const byTime: Definition = {
  name: '@rmk/hang-detector',
  version: '0.2.0',
  rmk: '^0.2.0',
  requires: [P_VMSCHL],
  modules: [HangDetector, MissingSigns],
  options: hangDetectorOptions,
  detects: ({ threshold }, { schedulingIntervalNs }) => [
    { kind: 'hang', boundNs: nanoseconds(threshold) + 1.5 * schedulingIntervalNs },
  ],
};

const byTimeAlone = definePlugin(byTime);
const byInstructionsToo = definePlugin({
  ...byTime,
  capabilities: ['instruction-count'],
  modules: [HangDetector, InstructionRule, MissingSigns],
});

/** With `maxInstructions` it needs the capability `instruction-count`. */
export const hangDetector: PluginFactory<typeof hangDetectorOptions> = (options) =>
  options?.maxInstructions === undefined ? byTimeAlone(options) : byInstructionsToo(options);
