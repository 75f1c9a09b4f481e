import {
  hasCode,
  PAGE_BYTES,
  RmkError,
  type Checkpointed,
  type Context,
  type EpochPlan,
  type Facts,
  type Nanoseconds,
  type PageLog,
  type RmkErrorCode,
  type RollbackTarget,
  type RolledBack,
  type VirtualMachine,
} from '@rmk/core';
import { expect } from 'vitest';
import { WINDOW_PAGES, type HypervisorSubject, type SubjectGuest } from './hypervisorSubject.js';
import { differingFrames, memoryImage, type MemoryImage } from './memoryImage.js';

export const NO_PRESAVE: EpochPlan = { preSave: 'none' };
export const UPDATED_AHEAD: EpochPlan = { preSave: 'updated' };

/** What a rollback must bring back. */
export interface VmState {
  readonly memory: MemoryImage;
  readonly registers: ReadonlyMap<string, bigint>;
}

const FACTS: readonly (keyof Facts)[] = [
  'pagefault',
  'signal',
  'scheduled',
  'output',
  'loglost',
  'rebooted',
  'asleep',
  'awake',
  'channel',
  'exited',
  'gone',
];

/** A subject during one test: keeps what the test takes of the VM, and gives it back. */
export class VmUnderTest {
  readonly machine: VirtualMachine;
  readonly guest: SubjectGuest;
  readonly slackNs: Nanoseconds;
  private readonly handles: (Context | PageLog)[] = [];
  private readonly kept: Disposable[] = [];
  private readonly reportedAtNs: { readonly fact: string; readonly atNs: Nanoseconds }[] = [];

  constructor(readonly subject: HypervisorSubject) {
    this.machine = subject.machine;
    this.guest = subject.guest;
    this.slackNs = subject.slackNs ?? 0;
    const { count } = this.guest.unusedFrames;
    if (count < WINDOW_PAGES) {
      throw new RmkError(
        'RMK_ERR_INPUT',
        `unusedFrames.count: the suite writes to ${WINDOW_PAGES} pages in a row, and the subject names ${count}`,
      );
    }
    for (const fact of FACTS) this.observe(fact, ({ atNs }) => void this.reportedAtNs.push({ fact, atNs }));
  }

  get nowNs(): Nanoseconds {
    return this.machine.clock.now();
  }

  get isDeterministic(): boolean {
    return this.machine.capabilities.has('deterministic');
  }

  get tellsPageFaults(): boolean {
    return this.machine.capabilities.has('pagefault-facts');
  }

  runFor(byNs: Nanoseconds): Promise<void> {
    return this.subject.runFor(byNs);
  }

  /** Lets the guest write to memory. */
  beBusy(): Promise<void> {
    return this.runFor(this.guest.busyNs);
  }

  /** Disposed of after the test. */
  keep<D extends Disposable>(disposable: D): D {
    this.kept.push(disposable);
    return disposable;
  }

  observe<F extends keyof Facts>(fact: F, observer: (what: Facts[F]) => void): Disposable {
    return this.keep(this.machine.observe(fact, observer));
  }

  async checkpoint(plan: EpochPlan = NO_PRESAVE): Promise<Checkpointed> {
    return this.handed(await this.machine.checkpoint(plan));
  }

  /** Goes back to the oldest of `checkpoints`, which are given newest first and without a gap. */
  async rollback(checkpoints: readonly Checkpointed[], plan: EpochPlan = NO_PRESAVE): Promise<RolledBack> {
    return this.handed(await this.machine.rollback(targetOf(checkpoints), plan));
  }

  /** A page of the window that the guest does not use, counted from 0. */
  frame(page: number): number {
    return this.guest.unusedFrames.first + page;
  }

  addressOf(page: number): number {
    return this.subject.addressOf(this.frame(page));
  }

  write(page: number, value: number): Promise<void> {
    return this.machine.write(this.addressOf(page), new Uint8Array(PAGE_BYTES).fill(value));
  }

  read(page: number): Promise<Uint8Array> {
    return this.machine.read(this.addressOf(page), PAGE_BYTES);
  }

  /** All pages of the window. */
  async window(): Promise<Uint8Array> {
    const pages = await Promise.all(Array.from({ length: WINDOW_PAGES }, (_, page) => this.read(page)));
    return Uint8Array.from(pages.flatMap((page) => [...page]));
  }

  async state(): Promise<VmState> {
    const registers = new Map<string, bigint>();
    for (const name of this.machine.registers) registers.set(name, await this.machine.readRegister(name));
    return { memory: await memoryImage(this.subject), registers };
  }

  /** Fails with the page frames and registers that are not as they were. */
  async expectState(expected: VmState): Promise<void> {
    const { memory, registers } = await this.state();
    expect(differingFrames(memory, expected.memory), 'page frames that differ').toEqual([]);
    expect(Object.fromEntries(registers), 'registers').toEqual(Object.fromEntries(expected.registers));
  }

  /** That `atNs` is `dueNs`, or no later than the subject allows. */
  expectOnTime(atNs: Nanoseconds, dueNs: Nanoseconds, what: string): void {
    expect(atNs, `${what}: not before its time`).toBeGreaterThanOrEqual(dueNs);
    expect(atNs, `${what}: no later than slackNs allows`).toBeLessThanOrEqual(dueNs + this.slackNs);
  }

  /** Undoes what the test did to the VM. Fails if facts were reported out of order. */
  async giveBack(): Promise<void> {
    for (const one of this.kept.splice(0)) one[Symbol.dispose]();
    for (const handle of this.handles.splice(0)) handle.release();
    this.machine.holdWhile(() => undefined);
    await this.machine.resume();
    const late = this.reportedAtNs.filter(
      ({ atNs }, index) => atNs < (this.reportedAtNs[index - 1]?.atNs ?? 0),
    );
    expect(late, 'facts reported out of order').toEqual([]);
  }

  private handed<C extends Checkpointed>(checkpointed: C): C {
    this.handles.push(checkpointed.log, checkpointed.context);
    return checkpointed;
  }
}

/** What a rollback to the oldest of `checkpoints` needs; newest first. */
export function targetOf(checkpoints: readonly Checkpointed[]): RollbackTarget {
  const oldest = checkpoints.at(-1);
  if (oldest === undefined) throw new RmkError('RMK_ERR_INPUT', 'there is no checkpoint to go to');
  return { context: oldest.context, logs: checkpoints.map(({ log }) => log) };
}

/** What a driver must have given. */
export function defined<T>(value: T | undefined, missing: string): T {
  if (value === undefined) throw new RmkError('RMK_ERR_STATE', missing);
  return value;
}

/** The code with which an operation is refused, `'done'` where it is not. Anything uncoded is passed on. */
export async function codeOf(operation: () => Promise<unknown>): Promise<RmkErrorCode | 'done'> {
  try {
    await operation();
    return 'done';
  } catch (error) {
    if (hasCode(error)) return error.code;
    throw error;
  }
}

/** The VM of each test, one for all where they share it. */
export class Stage {
  private current: VmUnderTest | undefined;

  constructor(
    private readonly factory: () => HypervisorSubject | Promise<HypervisorSubject>,
    private readonly isShared: boolean,
  ) {}

  async vm(): Promise<VmUnderTest> {
    const subject = this.isShared && this.current !== undefined ? this.current.subject : await this.factory();
    this.current = new VmUnderTest(subject);
    return this.current;
  }

  /** A VM that no other test sees; the test closes it. */
  async ownVm(): Promise<VmUnderTest> {
    return new VmUnderTest(await this.factory());
  }

  async afterTest(): Promise<void> {
    const { current } = this;
    try {
      await current?.giveBack();
    } finally {
      if (!this.isShared) await this.end();
    }
  }

  async end(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.subject.close();
  }
}
