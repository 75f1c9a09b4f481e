import { definePlugin, P_VMSCHL, provide, type SchedulingPin } from '@rmk/core';

/** A slice of the hypervisor: the longest stretch between two EVT_VMSCHEDULED. */
export const SLICE_NS = 10e6;

class ScriptedScheduling implements SchedulingPin {
  readonly schedulingIntervalNs = SLICE_NS;
}

/** Stands for P_VMSCHL where the test itself publishes EVT_VMSCHEDULED. */
export const scriptedScheduling = definePlugin({
  name: 'rmk-plugin-scripted-scheduling',
  version: '1.0.0',
  rmk: '^0.2.0',
  provides: [provide(P_VMSCHL, ScriptedScheduling)],
});
