import { setImmediate as nextTurn } from 'node:timers/promises';
import { hasCode, type Nanoseconds, type Privilege, type RmkError } from '@rmk/core';
import { closedError, FactEmitter } from '@rmk/driver';
import { z } from 'zod';
import { AwaitedEvent } from './awaitedEvent.js';
import { HostClock } from './hostClock.js';
import { threadActivity } from './processStatus.js';
import type { QemuProcess } from './qemuProcess.js';
import type { QmpEvent } from './qmpClient.js';
import { NEEDS_RESET } from './runState.js';
import { haltOf, VcpuActivity } from './vcpuActivity.js';

/** Looks come more often than the interval that is promised, since the host's timers are late by milliseconds. */
const LOOK_AFTER = 0.75;
const RESET_WITHIN_MS = 10_000;
/**
 * SeaBIOS, which finds that it has run before, renews itself after a reset and resets the machine again, up to four
 * times: some ten milliseconds, where the host has the time.
 */
const FIRMWARE_RESETS_WITHIN_NS = 2e9;

const status = z.object({ status: z.string() });
const cpus = z.tuple([z.object({ 'thread-id': z.int() })]);
const shutdown = z.object({ guest: z.boolean(), reason: z.string() });

/** Run states that a failure of the guest, or of one of its devices, brings about. */
const FAILED: ReadonlySet<string> = new Set(['guest-panicked', 'internal-error', 'io-error', 'watchdog']);

/**
 * Lets the VM of a QEMU run and stand still, in domain time, and tells the facts: what QEMU's events say, and what the
 * vCPU does as it looks from outside.
 */
export class QemuExecution {
  readonly clock = new HostClock();
  readonly facts = new FactEmitter();
  /** By an order of RMK. */
  suspended = true;
  closed = false;

  /** The guest brought its VM to a halt: QEMU's run state. */
  private halted: string | undefined;
  private lost: RmkError | undefined;
  private firmwareResetsUntilNs: Nanoseconds = 0;
  /** RMK stops and starts the VM in passing: what QEMU tells of that is nothing new. */
  private inPassing = 0;
  private activity: VcpuActivity | undefined;

  /** `pagesWritten`: newly, since it was called last; undefined where nobody can tell. */
  constructor(
    private readonly process: QemuProcess,
    private readonly schedulingIntervalNs: Nanoseconds,
    private readonly pagesWritten: () => Promise<number | undefined>,
  ) {
    process.qmp.onEvent((event) => this.take(event));
    process.qmp.onLost((error) => this.lose(error));
  }

  /** Begins to look at the vCPU. */
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
    this.clock.every(Math.max(1e6, this.schedulingIntervalNs * LOOK_AFTER), () => this.look());
  }

  /** Bytes came from the heartbeat channel. */
  heartbeat(): void {
    this.activity?.heartbeat();
  }

  /** The guest has brought its VM to a halt, and nothing but a rollback or a restart lets it run on. */
  get isHalted(): boolean {
    return this.halted !== undefined;
  }

  /** `RMK_ERR_STATE` after the VM was closed, `RMK_ERR_GONE` after QEMU ended. */
  checkUsable(): void {
    if (this.closed) throw closedError(this.process.state.name);
    if (this.lost !== undefined) throw this.lost;
  }

  async suspend(): Promise<void> {
    if (this.suspended) return;
    await this.quietly(async () => {
      await this.process.qmp.execute('stop');
      this.suspended = true;
      this.clock.freeze();
      // What the guest put out before lies in the sockets by now: after a turn of the event loop it has been read.
      await nextTurn();
    });
  }

  /** A VM that its guest brought to a halt stays so, suspended or not. */
  async resume(): Promise<void> {
    if (!this.suspended) return;
    await this.quietly(async () => {
      if (this.halted === undefined) await this.process.qmp.execute('cont');
      this.suspended = false;
      this.settleClock();
    });
  }

  /** Does what stops the VM in passing, and lets it run on if it ran. Domain time goes on meanwhile. */
  async inPassingStill<T>(work: () => Promise<T>): Promise<T> {
    const ran = !this.suspended && this.halted === undefined;
    return this.quietly(async () => {
      try {
        return await work();
      } finally {
        if (ran && this.halted === undefined && this.lost === undefined) {
          await this.process.qmp.execute('cont');
        }
      }
    });
  }

  /** Keeps what QEMU tells of stops and starts during `work` from being taken for the guest's. */
  async quietly<T>(work: () => Promise<T>): Promise<T> {
    this.inPassing++;
    try {
      return await work();
    } finally {
      this.inPassing--;
    }
  }

  /** After this QEMU lets the vCPU run again, whatever its guest did. The state of the devices is lost. */
  async makeRunnable(): Promise<void> {
    const { status: state } = await this.process.qmp.query('query-status', status);
    if (NEEDS_RESET.has(state)) await this.reset();
  }

  /** Resets the VM, which must stand still. Its guest boots again when it is resumed. */
  async reset(): Promise<void> {
    const { qmp } = this.process;
    this.firmwareResetsUntilNs = this.clock.now() + FIRMWARE_RESETS_WITHIN_NS;
    await this.quietly(async () => {
      using done = new AwaitedEvent(qmp, 'reset its VM', RESET_WITHIN_MS, ({ event }) => event === 'RESET');
      await qmp.execute('system_reset');
      await done.arrived;
    });
  }

  /** The guest was turned back, or begins anew: what it did before is no more. */
  turnedBack(to: 'checkpoint' | 'boot'): void {
    if (to === 'checkpoint') this.firmwareResetsUntilNs = 0;
    this.halted = undefined;
    this.activity?.begin();
    this.settleClock();
  }

  /** Finds out, for a VM that another process started, what it is doing. */
  async adopt(): Promise<void> {
    const { status: state } = await this.process.qmp.query('query-status', status);
    if (FAILED.has(state)) this.fail(state, state === 'guest-panicked' ? 'kernel' : 'machine');
    else if (state === 'shutdown') this.exit();
    this.suspended = state !== 'running';
    this.settleClock();
  }

  close(): void {
    this.closed = true;
    this.clock.close();
  }

  private settleClock(): void {
    if (this.suspended || this.halted !== undefined || this.lost !== undefined) this.clock.freeze();
    else this.clock.unfreeze();
  }

  private async look(): Promise<void> {
    if (this.closed) return;
    // What nobody was told is not kept for whoever comes to listen.
    if (!this.facts.isObserved('scheduled')) {
      this.activity?.begin();
      return;
    }
    const scheduled = await this.activity?.look().catch((error: unknown) => {
      // Of QEMU's two sockets either may be the first to end, and a busy QEMU may be late: its end is told by itself.
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
    else if (event === 'STOP' && this.inPassing === 0) void this.stoppedByOthers();
    else if (event === 'RESUME' && this.inPassing === 0) this.resumedByOthers();
  }

  /** What the firmware does after a reset is not told: it would be one failure told several times. */
  private resetByGuest(): void {
    const nowNs = this.clock.now();
    if (nowNs < this.firmwareResetsUntilNs) return;
    this.firmwareResetsUntilNs = nowNs + FIRMWARE_RESETS_WITHIN_NS;
    this.signal('reset', 'machine');
  }

  private signal(cause: string, privilege: Privilege): void {
    this.facts.emit('signal', { atNs: this.clock.now(), cause, privilege });
  }

  private fail(state: string, privilege: Privilege, cause: string = state): void {
    if (this.halted !== undefined) return;
    this.halted = state;
    this.settleClock();
    this.signal(cause, privilege);
  }

  private exit(): void {
    if (this.halted !== undefined) return;
    this.halted = 'shutdown';
    this.settleClock();
    this.facts.emit('exited', { atNs: this.clock.now(), code: 0 });
  }

  /** By the guest, which is told by an event of its own, by a device, or by somebody at the monitor. */
  private async stoppedByOthers(): Promise<void> {
    const { status: state } = await this.process.qmp
      .query('query-status', status)
      .catch(() => ({ status: 'unknown' }));
    if (this.closed || this.inPassing > 0 || this.halted !== undefined) return;
    if (FAILED.has(state)) this.fail(state, 'machine');
    else if (state === 'paused') this.halted = state;
    this.settleClock();
  }

  private resumedByOthers(): void {
    this.halted = undefined;
    this.settleClock();
  }

  private lose(error: RmkError): void {
    if (this.closed) return;
    this.lost = error;
    this.clock.freeze();
    this.facts.emit('gone', { atNs: this.clock.now(), reason: error.message });
  }
}
