import { diagnose, hasCode, RmkError } from '@rmk/core';
import { z } from 'zod';
import { AwaitedEvent } from './awaitedEvent.js';
import type { QmpClient } from './qmpClient.js';

const jobs = z.array(z.object({ id: z.string(), status: z.string(), error: z.string().optional() }));
const JOB_LIMIT_MS = 30_000;

/**
 * Runs a command that starts a job, until the job is concluded. Throws `RMK_ERR_HYPERVISOR` if it failed,
 * `RMK_ERR_GONE` if QEMU ended.
 */
export async function runJob(
  qmp: QmpClient,
  command: string,
  id: string,
  args: Readonly<Record<string, unknown>>,
): Promise<void> {
  let failed = false;
  using concluded = new AwaitedEvent(qmp, `end ${command}`, JOB_LIMIT_MS, ({ event, data }) => {
    if (event !== 'JOB_STATUS_CHANGE' || data['id'] !== id) return false;
    failed ||= data['status'] === 'aborting';
    return data['status'] === 'concluded';
  });
  await qmp.execute(command, { ...args, 'job-id': id });
  await concluded.arrived;
  if (!failed) {
    // The VM may be paused, so it does not wait for this response. QEMU executes later commands after it.
    qmp.execute('job-dismiss', { id }).catch((error: unknown) => {
      if (!hasCode(error, 'RMK_ERR_GONE'))
        diagnose('hypervisor', `QEMU did not dismiss the job ${id}`, error);
    });
    return;
  }
  const [all] = await Promise.all([qmp.query('query-jobs', jobs), qmp.execute('job-dismiss', { id })]);
  const why = all.find((other) => other.id === id)?.error ?? 'QEMU gives no reason';
  throw new RmkError('RMK_ERR_HYPERVISOR', `QEMU failed to execute ${command}: ${why}`);
}
