import { RmkError, type Checkpointed, type EpochPlan } from '@rmk/core';
import {
  GuestShell,
  QemuHypervisor,
  type CheckpointCost,
  type GuestJob,
  type LinuxGuest,
  type QemuControl,
  type QemuHypervisorOptions,
  type QemuMachine,
} from '@rmk/hypervisor-qemu';
import { qemuControlOf } from '../qemuControl.js';
import { percentilesMs, type Percentiles } from '../qemuDemo/percentiles.js';

export interface QemuBenchmarkOptions {
  readonly guest: LinuxGuest;
  readonly control: 'auto' | 'in-process' | 'qmp';
  /** Of the stress, each with a digest of all RAM. */
  readonly checkpoints: number;
  readonly rollbacks: number;
  /** Checkpoints that are measured at each size of memory. */
  readonly measured: number;
}

/** Checkpoints and rollbacks in a row under a write-heavy job, each audited. */
export interface StressResult {
  readonly checkpoints: number;
  readonly rollbacks: number;
  /** Rollbacks after which a digest of all RAM, taken before the guest ran on, was another than the checkpoint's. */
  readonly wrongMemory: number;
  /** Rollbacks after which the device state, saved again, had bytes that differ for no good reason. */
  readonly wrongState: number;
}

/** What a checkpoint costs a guest of this size, at work every 50 ms. */
export interface MemoryCost {
  readonly memoryMiB: number;
  readonly pauseMs: Percentiles;
  /** Median of the pages written in an epoch. */
  readonly pages: number;
}

export interface QemuBenchmarkResult {
  readonly control: string;
  readonly tracker: string;
  readonly stress: StressResult;
  readonly memory: readonly MemoryCost[];
  /** Of the median pauses, largest memory to smallest. */
  readonly memoryRatio: number;
}

const JOB: GuestJob = 'perl';
const ENDLESS = 1_000_000;
const SIZES_MIB = [256, 1024];
const MEBIBYTE = 2 ** 20;
const INTERVAL_MS = 50;
const WARM_UP_MS = 2000;
const STRESS_GAP_MS = 5;
const KEPT = 3;
const SERIAL = 'serial';
const NO_PRESAVE: EpochPlan = { preSave: 'none' };

/** Measures the QEMU driver alone, with no domain around it: what it does by itself, and whether that is exact. */
export async function qemuBenchmark(
  options: QemuBenchmarkOptions,
  progress: (what: string) => void,
): Promise<QemuBenchmarkResult> {
  const { control } = options;
  progress(`${options.checkpoints} checkpoints and ${options.rollbacks} rollbacks, with digests of all RAM`);
  let about: Pick<QemuControl, 'kind' | 'tracker'> = { kind: 'none', tracker: 'none' };
  const stressed = await withLinux(options.guest, 256, { control, audit: true }, async (machine) => {
    const { kind, tracker } = qemuControlOf(machine);
    about = { kind, tracker };
    return stress(machine, options);
  });
  const memory: MemoryCost[] = [];
  for (const memoryMiB of SIZES_MIB) {
    progress(`Checkpoints of ${memoryMiB} MiB`);
    memory.push(
      await withLinux(options.guest, memoryMiB, { control }, (machine) =>
        memoryCost(machine, memoryMiB, options.measured),
      ),
    );
  }
  return {
    control: about.kind,
    tracker: about.tracker,
    stress: stressed,
    memory,
    memoryRatio: (memory.at(-1)?.pauseMs.p50 ?? 0) / (memory[0]?.pauseMs.p50 ?? 1),
  };
}

async function withLinux<T>(
  { kernel, initrd, append, heartbeatPort, readyText }: LinuxGuest,
  memoryMiB: number,
  options: QemuHypervisorOptions,
  work: (machine: QemuMachine) => Promise<T>,
): Promise<T> {
  const hypervisor = new QemuHypervisor(options);
  try {
    const machine = await hypervisor.startMachine({
      name: 'bench',
      memoryBytes: memoryMiB * MEBIBYTE,
      kernel,
      initrd,
      append,
      channels: [heartbeatPort],
      ready: { device: SERIAL, text: readyText },
    });
    const shell = new GuestShell((data) => machine.input(SERIAL, data));
    machine.observe('output', ({ device, data }) => {
      if (device === SERIAL) shell.received(data);
    });
    await shell.startJob(JOB, ENDLESS);
    await wait(WARM_UP_MS);
    return await work(machine);
  } finally {
    await hypervisor.close();
  }
}

async function stress(
  machine: QemuMachine,
  { checkpoints, rollbacks }: QemuBenchmarkOptions,
): Promise<StressResult> {
  const control = qemuControlOf(machine);
  const ring = new Ring(machine, control);
  let [taken, done, wrongMemory, wrongState] = [0, 0, 0, 0];
  while (taken < checkpoints || done < rollbacks) {
    if (taken < checkpoints) {
      await ring.take();
      taken++;
    }
    await wait(STRESS_GAP_MS);
    // Spread over the checkpoints, the last ones behind them.
    if (done < rollbacks && taken * rollbacks >= (done + 1) * checkpoints) {
      const { before, after } = await ring.rollBack();
      done++;
      if (before.audit === undefined || before.audit.ramDigest !== after.audit?.ramDigest) wrongMemory++;
      if ((after.audit?.stateDifferences ?? []).length > 0) wrongState++;
    }
  }
  return { checkpoints: taken, rollbacks: done, wrongMemory, wrongState };
}

async function memoryCost(machine: QemuMachine, memoryMiB: number, count: number): Promise<MemoryCost> {
  const ring = new Ring(machine, qemuControlOf(machine));
  const taken: CheckpointCost[] = [];
  // The first has no epoch before it.
  await ring.take();
  while (taken.length < count) {
    await wait(INTERVAL_MS);
    taken.push(await ring.take());
  }
  const pages = taken.map(({ pagesWritten = 0 }) => pagesWritten).toSorted((a, b) => a - b);
  const pauseMs = percentilesMs(taken.map(({ pauseNs }) => pauseNs));
  return { memoryMiB, pauseMs, pages: pages[pages.length >> 1] ?? 0 };
}

interface Kept {
  readonly checkpoint: Checkpointed;
  readonly cost: CheckpointCost;
}

/** The last few checkpoints, as the agent of a domain would keep them. */
class Ring {
  /** Newest first. */
  private kept: Kept[] = [];

  constructor(
    private readonly machine: QemuMachine,
    private readonly control: QemuControl,
  ) {}

  async take(): Promise<CheckpointCost> {
    const checkpoint = await this.machine.checkpoint(NO_PRESAVE);
    const cost = last(this.control.checkpoints);
    this.kept.unshift({ checkpoint, cost });
    for (const old of this.kept.splice(KEPT)) release(old);
    return cost;
  }

  /** To the oldest. */
  async rollBack(): Promise<{ readonly before: CheckpointCost; readonly after: CheckpointCost }> {
    const target = this.kept.at(-1);
    if (target === undefined) throw new RmkError('RMK_ERR_UNPROTECTED', 'no checkpoint has been taken yet');
    await this.machine.suspend();
    const logs = this.kept.map(({ checkpoint }) => checkpoint.log);
    const checkpoint = await this.machine.rollback({ context: target.checkpoint.context, logs }, NO_PRESAVE);
    const after = last(this.control.rollbacks);
    for (const undone of this.kept) release(undone);
    this.kept = [{ checkpoint, cost: after }];
    await this.machine.resume();
    return { before: target.cost, after };
  }
}

function last<T>(costs: readonly T[]): T {
  const cost = costs.at(-1);
  if (cost !== undefined) return cost;
  throw new RmkError('RMK_ERR_STATE', 'the driver has recorded no checkpoint');
}

function release({ checkpoint: { context, log } }: Kept): void {
  log.release();
  context.release();
}

async function wait(milliseconds: number): Promise<void> {
  await new Promise((resolve) => void setTimeout(resolve, milliseconds));
}
