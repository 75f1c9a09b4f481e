import { setTimeout as wait } from 'node:timers/promises';
import { RmkError } from '@rmk/core';
import type { CheckpointControl, ControlCheckpoint } from './checkpointControl.js';
import type { QmpClient } from '../qmp/qmpClient.js';
import { queryRunState } from '../qmp/runState.js';
import { checkSavedDevices } from './coverage.js';
import { nameOffsets } from './stateSections.js';

/** How long the guest runs on between a checkpoint of the test and the next. */
const RUN_MS = 10;

/**
 * Proves on the VM itself that a rollback restores it bit for bit: takes two checkpoints, rolls back to the first, and
 * compares digests of all RAM and the device state. The guest loses what it did since, some 20 ms, and runs on if it
 * ran. Throws `RMK_ERR_HYPERVISOR` if anything differs, `RMK_ERR_INPUT` for a device whose state QEMU does not save.
 */
export async function selfTest(control: CheckpointControl, qmp: QmpClient, audit: boolean): Promise<void> {
  const { running } = await queryRunState(qmp);
  await control.setAudit(true);
  const taken: ControlCheckpoint[] = [];
  try {
    const first = await control.checkpoint();
    taken.push(first);
    await checkSavedDevices(qmp, await control.stateStream(first.state));
    await wait(RUN_MS);
    const second = await control.checkpoint();
    taken.push(second);
    await wait(RUN_MS);
    const back = await control.rollback(first.state, [second.log, first.log]);
    taken.push(back);
    compare(first, back, await control.stateStream(first.state));
  } finally {
    for (const { state, log } of taken) {
      control.releaseLog(log);
      control.releaseState(state);
    }
    await control.setAudit(audit);
    if (running) await qmp.execute('cont');
  }
}

function compare(before: ControlCheckpoint, after: ControlCheckpoint, stream: Uint8Array): void {
  const differences = after.audit?.stateDifferences ?? [];
  const problems: string[] = [];
  if (before.audit === undefined || before.audit.ramDigest !== after.audit?.ramDigest)
    problems.push('memory differs');
  if (differences.length > 0) {
    problems.push(`device state differs at ${nameOffsets(stream, differences).slice(0, 8).join(', ')}`);
  }
  if (problems.length === 0) return;
  throw new RmkError(
    'RMK_ERR_HYPERVISOR',
    `the self-test failed: after a rollback ${problems.join(' and ')}`,
  );
}
