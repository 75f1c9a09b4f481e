import { hasCode, RmkError } from '@rmk/core';
import type { CheckpointControl } from './checkpointControl.js';
import type { ChosenControl, ControlChoice, ControlTarget, OpenControl } from './controlTarget.js';
import { checkCoverage } from './coverage.js';
import { InProcessControl } from './inProcessControl.js';
import { QmpControl } from './qmpControl.js';
import { selfTest } from './selfTest.js';

const IN_PROCESS_WHY = 'QEMU and all functions needed within it are known, and the self-test passed';

/**
 * In-process if QEMU's build is known and the self-test passes, otherwise QMP, unless one is requested. Any other
 * problem (parts of the VM that are not covered, no room, QEMU gone) is an error of either.
 */
export const openControl: OpenControl = async (target, choice, events) => {
  checkTracker(choice);
  if (choice.kind === 'qmp' || choice.tracker === 'userfaultfd-async') {
    return opened(openQmp(target, choice, events), target, choice, 'requested, and the self-test passed');
  }
  await checkCoverage(target, 'in-process');
  try {
    return await opened(InProcessControl.open(target, choice, events), target, choice, IN_PROCESS_WHY);
  } catch (error) {
    if (choice.kind === 'in-process' || !hasCode(error, 'RMK_ERR_HYPERVISOR')) throw error;
    const why = `in-process control is not possible (${error.message}), and the self-test passed`;
    return opened(openQmp(target, choice, events), target, choice, why);
  }
};

const openQmp: (...given: Parameters<OpenControl>) => Promise<CheckpointControl> = async (
  target,
  choice,
  events,
) => {
  await checkCoverage(target, 'qmp');
  return QmpControl.open(target, choice, events);
};

function checkTracker({ kind, tracker }: ControlChoice): void {
  const other = { 'in-process': 'userfaultfd-async', qmp: 'dirty-bitmap' } as const;
  if (kind === 'auto' || tracker !== other[kind]) return;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `control ${kind} does not work with the tracker ${tracker}: leave one of them to "auto"`,
  );
}

async function opened(
  opening: Promise<CheckpointControl>,
  target: ControlTarget,
  choice: ControlChoice,
  why: string,
): Promise<ChosenControl> {
  const control = await opening;
  try {
    await selfTest(control, target.qmp, choice.audit);
    return { control, why };
  } catch (error) {
    await control.close().catch(() => undefined);
    throw error;
  }
}
