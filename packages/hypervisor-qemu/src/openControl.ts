import { RmkError } from '@rmk/core';
import type { CheckpointControl, ControlEvents } from './checkpointControl.js';
import type { ChosenControl, ControlChoice, ControlTarget, OpenControl } from './controlTarget.js';
import { InProcessControl } from './inProcessControl.js';
import { selfTest } from './selfTest.js';

const IN_PROCESS_WHY = 'QEMU and all functions needed within it are known, and the self-test passed';

/**
 * In-process where QEMU's build is known and the self-test passes, else QMP, unless one is asked for. What else is wrong
 * (no room, QEMU gone) is an error of either.
 */
export const openControl: OpenControl = async (target, choice, events) => {
  if (choice.kind === 'qmp') throw notYet('QMP was asked for');
  try {
    return await openInProcess(target, choice, events);
  } catch (error) {
    if (choice.kind === 'in-process' || !(error instanceof RmkError) || error.code !== 'RMK_ERR_HYPERVISOR')
      throw error;
    throw notYet(error.message);
  }
};

async function openInProcess(
  target: ControlTarget,
  choice: ControlChoice,
  events: ControlEvents,
): Promise<ChosenControl> {
  const control = await InProcessControl.open(target, choice, events);
  await tested(control, target, choice);
  return { control, why: IN_PROCESS_WHY };
}

async function tested(
  control: CheckpointControl,
  target: ControlTarget,
  choice: ControlChoice,
): Promise<void> {
  try {
    await selfTest(control, target.qmp, choice.audit);
  } catch (error) {
    await control.close().catch(() => undefined);
    throw error;
  }
}

function notYet(why: string): RmkError {
  return new RmkError('RMK_ERR_HYPERVISOR', `checkpoints by QMP are not possible yet (${why})`);
}
