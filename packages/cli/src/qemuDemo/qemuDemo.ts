import { hasCode, messageOf, type RecoveryRecord } from '@rmk/core';
import type {
  ControlKind,
  CheckpointCost,
  GuestFault,
  GuestJob,
  LinuxGuest,
  TrackerKind,
} from '@rmk/hypervisor-qemu';
import { healthBefore, healthChecks, type HealthCheck } from './health.js';
import { provoke, type LinuxIncident } from './linuxIncident.js';
import { percentilesMs, type Percentiles } from './percentiles.js';
import { ProtectedLinux, type MeasuredRollback } from './protectedLinux.js';

export interface QemuDemoOptions {
  readonly guest: LinuxGuest;
  readonly control: ControlKind | 'auto';
  /** Rollbacks measured under each workload, besides those of the recoveries. */
  readonly rollbacks: number;
}

/** Called as it happens. */
export interface QemuDemoProgress {
  phase(what: string): void;
  started(linux: ProtectedLinux): void;
  incident(incident: LinuxIncident): void;
}

/** What protecting the guest under a workload cost. */
export interface WorkloadMeasurement {
  readonly workload: GuestJob;
  readonly pauseMs: Percentiles;
  readonly rollbackMs: Percentiles;
  /** Rollbacks with suspending and resuming the VM. */
  readonly totalMs: Percentiles;
  readonly pagesPerCheckpoint: number;
  readonly stateBytes: number;
}

export interface QemuDemoResult {
  readonly verdict: 'pass' | 'fail';
  readonly control: ControlKind | 'none';
  readonly tracker: TrackerKind | 'none';
  readonly why: string;
  readonly incidents: readonly LinuxIncident[];
  /** Recoveries without an injected fault. */
  readonly unprovoked: readonly RecoveryRecord[];
  readonly measurements: readonly WorkloadMeasurement[];
  /** Over all workloads. */
  readonly pauseMs: Percentiles;
  readonly rollbackMs: Percentiles;
  readonly checks: readonly HealthCheck[];
}

interface Work {
  readonly workload: GuestJob;
  readonly faults: readonly GuestFault[];
}

/** Panics and hangs twice each: busy with interrupts off, and busy with preemption off. */
const PLAN: readonly Work[] = [
  { workload: 'gzip', faults: ['panic', 'hang'] },
  { workload: 'perl', faults: ['panic', 'spin'] },
];
const ENDLESS = 1_000_000;
const WARM_UP_MS = 2000;
const MEASURED_MS = 4000;
const BETWEEN_ROLLBACKS_MS = 120;

/** Protects a real Linux at work, makes its kernel fail, and checks that nothing of that is left. */
export async function qemuDemo(
  { guest, control, rollbacks }: QemuDemoOptions,
  progress: QemuDemoProgress,
): Promise<QemuDemoResult> {
  progress.phase('Booting the guest');
  const linux = await ProtectedLinux.start(guest, { hypervisor: { control } });
  try {
    progress.started(linux);
    const healthy = await healthBefore(linux);
    const incidents: LinuxIncident[] = [];
    const measured: Measured[] = [];
    const failures: HealthCheck[] = [];
    for (const { workload, faults } of PLAN) {
      progress.phase(`Faults under the workload ${workload}`);
      await work(linux, workload);
      for (const fault of faults) {
        try {
          const incident = await provoke(linux, fault, workload);
          incidents.push(incident);
          progress.incident(incident);
        } catch (error) {
          if (!hasCode(error)) throw error;
          failures.push({
            what: `${fault} under ${workload} is recovered`,
            holds: false,
            found: messageOf(error),
          });
          return resultOf(linux, incidents, measured, failures);
        }
      }
      progress.phase(`Measuring under the workload ${workload}`);
      await work(linux, workload);
      measured.push(await measure(linux, workload, rollbacks));
      await linux.shell.run('killall job');
    }
    progress.phase('Checking guest health');
    const workloads = PLAN.map(({ workload }) => workload);
    return resultOf(linux, incidents, measured, await healthChecks(linux, workloads, healthy));
  } finally {
    await linux.close();
  }
}

/** Keeps the guest at work: a rollback can undo the start of a job. */
async function work(linux: ProtectedLinux, workload: GuestJob): Promise<void> {
  const isWorking = async (): Promise<boolean> => (await linux.shell.run('pidof job')).exitCode === 0;
  for (;;) {
    const seen = linux.recoveries.length;
    if (!(await isWorking())) await linux.shell.startJob(workload, ENDLESS);
    await linux.wait(WARM_UP_MS);
    if (linux.recoveries.length === seen && (await isWorking())) return;
  }
}

interface Measured {
  readonly workload: GuestJob;
  readonly checkpoints: readonly CheckpointCost[];
  readonly rollbacks: readonly MeasuredRollback[];
}

async function measure(linux: ProtectedLinux, workload: GuestJob, count: number): Promise<Measured> {
  const before = new Set(linux.checkpoints);
  await linux.wait(MEASURED_MS);
  const checkpoints = linux.checkpoints.filter((taken) => !before.has(taken));
  const rollbacks: MeasuredRollback[] = [];
  while (rollbacks.length < count) {
    rollbacks.push(await linux.rollBack());
    await linux.wait(BETWEEN_ROLLBACKS_MS);
  }
  return { workload, checkpoints, rollbacks };
}

function resultOf(
  linux: ProtectedLinux,
  incidents: readonly LinuxIncident[],
  measured: readonly Measured[],
  checks: readonly HealthCheck[],
): QemuDemoResult {
  const { kind, tracker, why } = linux.control;
  const provoked = new Set(incidents.flatMap(({ recoveries }) => recoveries));
  return {
    verdict: checks.every(({ holds }) => holds) ? 'pass' : 'fail',
    control: kind,
    tracker,
    why,
    incidents,
    unprovoked: linux.recoveries.filter((record) => !provoked.has(record)),
    measurements: measured.map(measurementOf),
    pauseMs: percentilesMs(measured.flatMap(({ checkpoints }) => checkpoints.map(({ pauseNs }) => pauseNs))),
    rollbackMs: percentilesMs(
      measured.flatMap(({ rollbacks }) => rollbacks.map(({ rollbackNs }) => rollbackNs)),
    ),
    checks,
  };
}

function measurementOf({ workload, checkpoints, rollbacks }: Measured): WorkloadMeasurement {
  const pages = checkpoints.map(({ pagesWritten = 0 }) => pagesWritten).toSorted((a, b) => a - b);
  return {
    workload,
    pauseMs: percentilesMs(checkpoints.map(({ pauseNs }) => pauseNs)),
    rollbackMs: percentilesMs(rollbacks.map(({ rollbackNs }) => rollbackNs)),
    totalMs: percentilesMs(rollbacks.map(({ totalNs }) => totalNs)),
    pagesPerCheckpoint: pages[pages.length >> 1] ?? 0,
    stateBytes: checkpoints.at(-1)?.stateBytes ?? 0,
  };
}
