import { RmkError } from '@rmk/core';
import { z } from 'zod';
import { AwaitedEvent } from './awaitedEvent.js';
import type { QmpClient } from './qmpClient.js';

const jobs = z.array(z.object({ id: z.string(), status: z.string(), error: z.string().optional() }));
const JOB_LIMIT_MS = 30_000;

/** Runs a command that starts a job, until the job is concluded; `RMK_ERR_HYPERVISOR` where it failed. */
export async function runJob(
  qmp: QmpClient,
  command: string,
  id: string,
  args: Readonly<Record<string, unknown>>,
): Promise<void> {
  using concluded = new AwaitedEvent(
    qmp,
    `end ${command}`,
    JOB_LIMIT_MS,
    ({ event, data }) => event === 'JOB_STATUS_CHANGE' && data['id'] === id && data['status'] === 'concluded',
  );
  await qmp.execute(command, { ...args, 'job-id': id });
  await concluded.arrived;
  // QEMU answers in order: both questions are asked at once.
  const [all] = await Promise.all([qmp.query('query-jobs', jobs), qmp.execute('job-dismiss', { id })]);
  const job = all.find((other) => other.id === id);
  if (job?.error === undefined) return;
  throw new RmkError('RMK_ERR_HYPERVISOR', `QEMU could not carry out ${command}: ${job.error}`);
}
