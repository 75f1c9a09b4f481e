import { setImmediate as nextTurn } from 'node:timers/promises';
import { diagnose, hasCode, type Facts, type Nanoseconds, type Privilege, type RmkError } from '@rmk/core';
import { closedError, FactEmitter } from '@rmk/driver';
import { z } from 'zod';
import { ChannelStates, queryChannels } from './channelStates.js';
import { HostClock } from './hostClock.js';
import { threadActivity } from '../process/processStatus.js';
import type { QemuProcess } from '../process/qemuProcess.js';
import type { QmpEvent } from '../qmp/qmpClient.js';
import { resetMachine } from '../qmp/resetMachine.js';
import { queryRunState } from '../qmp/runState.js';
import { ResetLog } from './resetLog.js';
import { StandingFailure } from './standingFailure.js';
import { haltOf, VcpuActivity } from './vcpuActivity.js';

/** It looks more often than the promised interval, since the host's timers are late by milliseconds. */
const LOOK_AFTER = 0.75;
/**
 * SeaBIOS, which finds that it has run before, renews itself after a reset and resets the machine again, up to four
 * times: some ten milliseconds, where the host has the time.
 */
const FIRMWARE_RESETS_NS = 2e9;

/** How often the reset log is kept short. */
const RESET_LOG_NS = 1e9;

const cpus = z.tuple([z.object({ 'thread-id': z.int() })]);
const shutdown = z.object({ guest: z.boolean(), reason: z.string() });

/** Run states that a failure of the guest, or of one of its devices, causes. */
const FAILED: ReadonlySet<string> = new Set(['guest-panicked', 'internal-error', 'io-error', 'watchdog']);

/**
 * Pauses and resumes the VM of a QEMU, in domain time, and emits the facts: from QEMU's events, and from what the vCPU
 * does as seen from outside.
 */
export class QemuExecution {
  readonly clock = new HostClock();
  readonly facts = new FactEmitter();
  /** By RMK. */
  suspended = true;
  closed = false;

  private readonly failure = new StandingFailure(this.facts, () => this.clock.now());
  /** QEMU's run state, while the guest has halted its VM. */
  private halted: string | undefined;
  /** The guest suspended itself to RAM. */
  private asleep = false;
  private lost: RmkError | undefined;
  /** Undefined for a QEMU that keeps none. */
  private readonly resetLog: ResetLog | undefined;
  private readonly channels: ChannelStates;
  private firmwareResetsUntilNs: Nanoseconds = 0;
  /** While it is above 0 RMK itself pauses and resumes the VM: QEMU's events about that are no facts. */
  private expectedStops = 0;
  private activity: VcpuActivity | undefined;

  /** `pagesWritten`: newly, since its last call; undefined if the VM is unprotected. */
  constructor(
    private readonly process: QemuProcess,
    private readonly schedulingIntervalNs: Nanoseconds,
    private readonly pagesWritten: () => Promise<number | undefined>,
  ) {
    this.channels = new ChannelStates(
      () => queryChannels(process.qmp),
      () => this.expectedStops > 0,
      (device, isOpen) => this.facts.emit('channel', { atNs: this.clock.now(), device, isOpen }),
    );
    const { resetLog } = process.state;
    this.resetLog = resetLog === undefined ? undefined : new ResetLog(resetLog);
    process.qmp.onEvent((event) => this.take(event));
    process.qmp.onLost((error) => this.lose(error));
  }

  /** A failure that nobody was there to see is reported to whoever listens, when the domain is not busy. */
  observe<F extends keyof Facts>(fact: F, listener: (what: Facts[F]) => void): Disposable {
    const observer = this.facts.observe(fact, listener);
    this.failure.observed(fact);
    return observer;
  }

  /** What the domain is busy with. */
  reportAfter(pending: () => Promise<void> | undefined): void {
    this.failure.reportAfter(pending);
  }

  /** Starts to observe the vCPU. */
  async watch(): Promise<void> {
    const [{ 'thread-id': thread }] = await this.process.qmp.query('query-cpus-fast', cpus);
    const { pid } = this.process.state;
    this.activity = new VcpuActivity(
      {
        now: () => this.clock.now(),
        thread: () => threadActivity(pid, thread),
        pagesWritten: this.pagesWritten,
        halt: async () => haltOf(await this.process.qmp.humanMonitor('info registers')),
      },
      this.schedulingIntervalNs,
    );
    this.clock.every(RESET_LOG_NS, () => this.resetLog?.bound());
    this.clock.every(Math.max(1e6, this.schedulingIntervalNs * LOOK_AFTER), () => this.look());
  }

  /** Bytes came from the heartbeat channel. */
  heartbeat(): void {
    this.activity?.heartbeat();
  }

  /** The guest has halted its VM: only a rollback or a restart makes it run again. */
  get isHalted(): boolean {
    return this.halted !== undefined;
  }

  /** Throws `RMK_ERR_STATE` after the VM was closed, `RMK_ERR_GONE` after QEMU ended. */
  checkUsable(): void {
    if (this.closed) throw closedError(this.process.state.name);
    if (this.lost !== undefined) throw this.lost;
  }

  async suspend(): Promise<void> {
    if (this.suspended) return;
    await this.expectingStops(async () => {
      await this.process.qmp.execute('stop');
      this.suspended = true;
      this.clock.freeze();
      // The guest's output is in the sockets by now: after a turn of the event loop it has been read.
      await nextTurn();
    });
  }

  /** A VM that its guest has halted stays halted. */
  async resume(): Promise<void> {
    if (!this.suspended) return;
    await this.expectingStops(async () => {
      if (this.halted === undefined) await this.process.qmp.execute('cont');
      this.suspended = false;
      this.settleClock();
    });
  }

  /** Does `work`, which pauses the VM, and resumes the VM if it ran. Domain time goes on meanwhile. */
  async whilePaused<T>(work: () => Promise<T>): Promise<T> {
    const ran = !this.suspended && this.halted === undefined;
    return this.expectingStops(async () => {
      try {
        return await work();
      } finally {
        if (ran && this.halted === undefined && this.lost === undefined) {
          await this.process.qmp.execute('cont');
        }
      }
    });
  }

  /** Keeps QEMU's events about pauses during `work` from being taken for the guest's. */
  async expectingStops<T>(work: () => Promise<T>): Promise<T> {
    this.expectedStops++;
    try {
      return await work();
    } finally {
      this.expectedStops--;
      if (this.expectedStops === 0) this.lookAtChannels(() => this.channels.lookIfPostponed());
    }
  }

  /** Resets the VM, which must be paused. Its guest boots again when it is resumed. */
  async reset(): Promise<void> {
    this.firmwareResetsUntilNs = this.clock.now() + FIRMWARE_RESETS_NS;
    await this.expectingStops(() => resetMachine(this.process.qmp));
  }

  /** After a rollback or a restart: what the guest did before no longer counts. */
  stateReplaced(to: 'checkpoint' | 'boot'): void {
    if (to === 'checkpoint') this.firmwareResetsUntilNs = 0;
    this.resetLog?.skip();
    this.channels.discard();
    this.halted = undefined;
    this.asleep = false;
    this.failure.clear();
    this.activity?.begin();
    this.settleClock();
  }

  /** Reads the run state of a VM started by another process. */
  async adopt(): Promise<void> {
    await this.channels.adopt();
    const { status: state } = await queryRunState(this.process.qmp);
    if (state === 'guest-panicked') this.fail(state, 'kernel', 'panic');
    else if (FAILED.has(state)) this.fail(state, 'machine');
    else if (state === 'shutdown') this.exit();
    this.asleep = state === 'suspended';
    this.suspended = state !== 'running' && !this.asleep;
    this.settleClock();
  }

  close(): void {
    this.closed = true;
    this.clock.close();
  }

  private settleClock(): void {
    const rests = this.suspended || this.asleep || this.halted !== undefined || this.lost !== undefined;
    if (rests) this.clock.freeze();
    else this.clock.unfreeze();
  }

  private async look(): Promise<void> {
    if (this.closed) return;
    // What happened before somebody listens is not kept.
    if (!this.facts.isObserved('scheduled')) {
      this.activity?.begin();
      return;
    }
    const scheduled = await this.activity?.look().catch((error: unknown) => {
      // Either of QEMU's two sockets may be the first to end, and a busy QEMU may be late: `gone` reports its end.
      if (hasCode(error) || this.lost !== undefined || this.closed) return undefined;
      throw error;
    });
    if (scheduled !== undefined && !this.closed) this.facts.emit('scheduled', scheduled);
  }

  private take({ event, data }: QmpEvent): void {
    if (this.closed) return;
    if (event === 'GUEST_PANICKED') this.fail('guest-panicked', 'kernel', 'panic');
    else if (event === 'WATCHDOG') this.signal('watchdog', 'machine');
    else if (event === 'RESET' && shutdown.safeParse(data).data?.guest === true) this.resetByGuest();
    else if (event === 'SHUTDOWN' && shutdown.safeParse(data).data?.guest === true) this.exit();
    else if (event === 'SUSPEND') this.fallAsleep();
    else if (event === 'WAKEUP') this.wake();
    else if (event === 'VSERPORT_CHANGE') this.lookAtChannels(() => this.channels.look());
    else if (event === 'STOP' && this.expectedStops === 0) void this.stoppedByOthers();
    else if (event === 'RESUME' && this.expectedStops === 0) this.resumedByOthers();
  }

  /** Resets by the firmware after a reset are not emitted: it would be one failure, or one reboot, several times. */
  private resetByGuest(): void {
    const hasTripleFault = this.resetLog?.hasTripleFault();
    const nowNs = this.clock.now();
    if (nowNs < this.firmwareResetsUntilNs) return;
    this.firmwareResetsUntilNs = nowNs + FIRMWARE_RESETS_NS;
    if (hasTripleFault === false) this.facts.emit('rebooted', { atNs: nowNs });
    else this.failByReset(hasTripleFault === true ? 'triple-fault' : 'reset');
  }

  private failByReset(cause: string): void {
    // The reset has closed them all.
    this.channels.discard();
    this.signal(cause, 'machine');
  }

  private lookAtChannels(look: () => Promise<void>): void {
    look().catch((error: unknown) => {
      if (this.lost !== undefined || this.closed || hasCode(error, 'RMK_ERR_GONE')) return; // `gone` reports it.
      diagnose('hypervisor', 'QEMU did not say which channels are open', error);
    });
  }

  private fallAsleep(): void {
    if (this.asleep) return;
    this.asleep = true;
    this.settleClock();
    this.facts.emit('asleep', { atNs: this.clock.now() });
  }

  private wake(): void {
    if (!this.asleep) return;
    const atNs = this.clock.now();
    this.asleep = false;
    this.activity?.begin();
    this.settleClock();
    this.facts.emit('awake', { atNs });
  }

  private signal(cause: string, privilege: Privilege): void {
    this.facts.emit('signal', { atNs: this.clock.now(), cause, privilege });
  }

  private fail(state: string, privilege: Privilege, cause: string = state): void {
    if (this.halted !== undefined) return;
    this.halted = state;
    this.settleClock();
    this.failure.emit('signal', { cause, privilege });
  }

  private exit(): void {
    if (this.halted !== undefined) return;
    this.halted = 'shutdown';
    this.settleClock();
    this.failure.emit('exited', { code: 0 });
  }

  /** By the guest, which has an event of its own, by a device, or by somebody at the monitor. */
  private async stoppedByOthers(): Promise<void> {
    const { status: state } = await queryRunState(this.process.qmp).catch(() => ({ status: 'unknown' }));
    if (this.closed || this.expectedStops > 0 || this.halted !== undefined) return;
    if (FAILED.has(state)) this.fail(state, 'machine');
    else if (state === 'paused') this.halted = state;
    this.settleClock();
  }

  private resumedByOthers(): void {
    this.halted = undefined;
    this.failure.clear();
    this.settleClock();
  }

  private lose(error: RmkError): void {
    if (this.closed) return;
    this.lost = error;
    this.clock.freeze();
    this.failure.emit('gone', { reason: error.message });
  }
}
