import { z } from 'zod';
import type { QmpClient } from './qmpClient.js';

/** What QEMU lets its VM do. */
export interface RunState {
  readonly running: boolean;
  /** QEMU's name of the state: `running`, `paused`, `guest-panicked`, `shutdown` and others. */
  readonly status: string;
}

const shape = z.object({ running: z.boolean(), status: z.string() });

/** QEMU resumes no vCPU in these states before a reset; `suspended`: the guest suspended itself to RAM. */
const NEEDS_RESET: ReadonlySet<string> = new Set(['shutdown', 'internal-error', 'suspended']);

export function queryRunState(qmp: QmpClient): Promise<RunState> {
  return qmp.query('query-status', shape);
}

export function needsReset({ status }: RunState): boolean {
  return NEEDS_RESET.has(status);
}
