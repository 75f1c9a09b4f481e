import { setTimeout as wait } from 'node:timers/promises';
import { RmkError } from '@rmk/core';
import { z } from 'zod';
import type { CheckpointControl, Cut } from './checkpointControl.js';
import type { QmpClient } from './qmpClient.js';
import { nameOffsets } from './stateSections.js';

/** How long the guest runs on between a checkpoint of the test and the next. */
const RUN_MS = 10;

const runState = z.object({ running: z.boolean() });

/**
 * Proves on the VM itself that it comes back from a rollback bit for bit: two checkpoints, back to the first, digests of all
 * RAM and device state compared. The guest loses what it did since, some 20 ms, and runs on if it ran.
 * `RMK_ERR_HYPERVISOR` where anything differs.
 */
export async function selfTest(control: CheckpointControl, qmp: QmpClient, audit: boolean): Promise<void> {
  const { running } = runState.parse(await qmp.execute('query-status'));
  await control.setAudit(true);
  const cuts: Cut[] = [];
  try {
    const first = await control.checkpoint();
    cuts.push(first);
    await wait(RUN_MS);
    const second = await control.checkpoint();
    cuts.push(second);
    await wait(RUN_MS);
    const back = await control.rollback(first.state, [second.log, first.log]);
    cuts.push(back);
    compare(first, back, await control.stateStream(first.state));
  } finally {
    for (const { state, log } of cuts) {
      control.releaseLog(log);
      control.releaseState(state);
    }
    await control.setAudit(audit);
    if (running) await qmp.execute('cont');
  }
}

function compare(before: Cut, after: Cut, stream: Uint8Array): void {
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
