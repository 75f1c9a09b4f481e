import { hasCode, messageOf, RmkError } from '@rmk/core';
import { z } from 'zod';
import { AwaitedEvent } from './awaitedEvent.js';
import type { QmpClient } from './qmpClient.js';

const jobs = z.array(z.object({ id: z.string(), status: z.string(), error: z.string().optional() }));
const JOB_LIMIT_MS = 30_000;

/** Runs a command that starts a job, until the job is concluded; `RMK_ERR_HYPERVISOR` where it failed, `RMK_ERR_GONE` with QEMU. */
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
    // The VM may stand still: it does not wait for this answer. QEMU keeps the order of what comes next.
    qmp.execute('job-dismiss', { id }).catch((error: unknown) => {
      if (!hasCode(error, 'RMK_ERR_GONE'))
        process.emitWarning(`a job of QEMU was not dismissed: ${messageOf(error)}`);
    });
    return;
  }
  const [all] = await Promise.all([qmp.query('query-jobs', jobs), qmp.execute('job-dismiss', { id })]);
  const why = all.find((other) => other.id === id)?.error ?? 'it does not say why';
  throw new RmkError('RMK_ERR_HYPERVISOR', `QEMU could not carry out ${command}: ${why}`);
}
