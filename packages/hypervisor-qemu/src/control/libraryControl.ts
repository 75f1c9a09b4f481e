import { diagnose, hasCode, RmkError } from '@rmk/core';
import { queryRunState } from '../qmp/runState.js';
import type {
  CheckpointControl,
  ControlEvents,
  ControlKind,
  ControlOptions,
  ControlRollback,
  ControlCheckpoint,
  PauseHandler,
  LogHandle,
  StateHandle,
  TrackerKind,
} from './checkpointControl.js';
import type { ControlTarget } from './controlTarget.js';
import { LibraryConnection } from './libraryConnection.js';
import {
  type CONTROL,
  decodeCount,
  decodeCheckpoint,
  decodeHello,
  decodeNumbers,
  encodeHandle,
  encodePage,
  encodeRollback,
  encodeSettings,
  encodeStart,
  encodeWrite,
  KIND,
  SETTING,
  type Hello,
} from './libraryProtocol.js';
import { unexplainedOffsets } from './stateSections.js';

/** Device states kept at once, and the largest of them. A PC with virtio devices has 10 to 60 KiB. */
const STATES = 64;
const STATE_BYTES = 512 << 10;
/** How long the guest may wait for a pause handler. */
const PAUSE_TIMEOUT_MS = 2000;
/** Where QEMU hangs, RMK does not wait for longer. */
const END_TIMEOUT_MS = 5000;
/** The library accepts no longer requests. */
const LONGEST_WRITE = 512 << 10;

/** What both ways of control share: the library in QEMU keeps the logs and states, and does the work on RAM. */
export abstract class LibraryControl implements CheckpointControl {
  abstract readonly kind: ControlKind;
  abstract readonly tracker: TrackerKind;

  protected constructor(
    readonly connection: LibraryConnection,
    private settings: number,
    protected readonly target: ControlTarget,
  ) {}

  /** Connects, and starts protection once `check` finds nothing against it. */
  protected static async start(
    control: keyof typeof CONTROL,
    target: ControlTarget,
    options: ControlOptions,
    events: ControlEvents,
    check: (hello: Hello) => void,
  ): Promise<{ readonly connection: LibraryConnection; readonly settings: number }> {
    if (target.librarySocket === undefined) {
      throw new RmkError(
        'RMK_ERR_HYPERVISOR',
        'QEMU was started without the library: RMK_LIBRARY_SOCKET is not set',
      );
    }
    const connection = await LibraryConnection.open(
      target.librarySocket,
      target.memoryBytes,
      events,
      target.stderrTail,
    );
    try {
      const hello = decodeHello(await connection.request(KIND.hello));
      if (hello.process !== target.pid || hello.ramBytes !== target.memoryBytes) {
        throw new RmkError(
          'RMK_ERR_HYPERVISOR',
          `the library belongs to another QEMU, process ${hello.process}`,
        );
      }
      check(hello);
      const { running } = await queryRunState(target.qmp);
      const settings = options.audit ? SETTING.audit : 0;
      await connection.request(
        KIND.start,
        encodeStart({
          control,
          settings,
          logPages: options.logPages,
          states: STATES,
          stateBytes: STATE_BYTES,
          pauseTimeoutMs: PAUSE_TIMEOUT_MS,
          running,
        }),
      );
      return { connection, settings };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async checkpoint(): Promise<ControlCheckpoint> {
    return decodeCheckpoint(await this.connection.request(KIND.checkpoint)).checkpoint;
  }

  async rollback(state: StateHandle, logs: readonly LogHandle[]): Promise<ControlRollback> {
    const response = await this.connection.request(KIND.rollback, encodeRollback(state, logs));
    const { checkpoint, pagesRestored, steps } = decodeCheckpoint(response);
    return { ...(await this.withoutExpectedDifferences(state, checkpoint)), pagesRestored, steps };
  }

  async frames(log: LogHandle): Promise<Uint32Array> {
    return decodeNumbers(await this.connection.request(KIND.frames, encodeHandle(log)));
  }

  async page(log: LogHandle, frame: number): Promise<Uint8Array | undefined> {
    const page = await this.connection.request(KIND.page, encodePage(log, frame));
    return page.length === 0 ? undefined : page;
  }

  async verifyLog(log: LogHandle): Promise<Uint32Array> {
    return decodeNumbers(await this.connection.request(KIND.verifyLog, encodeHandle(log)));
  }

  async verifyState(state: StateHandle): Promise<boolean> {
    return decodeCount(await this.connection.request(KIND.verifyState, encodeHandle(state))) === 1;
  }

  async stateStream(state: StateHandle): Promise<Uint8Array> {
    return this.connection.request(KIND.state, encodeHandle(state));
  }

  releaseLog(log: LogHandle): void {
    this.release(KIND.releaseLog, log);
  }

  releaseState(state: StateHandle): void {
    this.release(KIND.releaseState, state);
  }

  async write(address: number, data: Uint8Array): Promise<void> {
    const offset = this.target.offsetOf(address);
    for (let at = 0; at < data.length; at += LONGEST_WRITE) {
      const piece = data.subarray(at, at + LONGEST_WRITE);
      await this.connection.request(KIND.write, encodeWrite(address + at, offset + at, piece));
    }
  }

  async memoryReplaced(): Promise<void> {
    await unlessGone(this.connection.request(KIND.replaced));
  }

  async newlyWrittenPages(): Promise<number> {
    return decodeCount(await this.connection.request(KIND.written));
  }

  async onPause(handler: PauseHandler | undefined): Promise<void> {
    this.connection.onPause(handler);
    await this.change(SETTING.callInPause, handler !== undefined);
  }

  async setAudit(audit: boolean): Promise<void> {
    await this.change(SETTING.audit, audit);
  }

  async close(): Promise<void> {
    try {
      await unlessGone(this.connection.request(KIND.end, undefined, END_TIMEOUT_MS));
    } finally {
      this.connection.close();
    }
  }

  /** The checkpoint without those differences in its audit that are expected. */
  private async withoutExpectedDifferences(
    state: StateHandle,
    checkpoint: ControlCheckpoint,
  ): Promise<ControlCheckpoint> {
    const { audit } = checkpoint;
    if (audit?.stateDifferences === undefined || audit.stateDifferences.length === 0) return checkpoint;
    const stateDifferences = unexplainedOffsets(await this.stateStream(state), audit.stateDifferences);
    return { ...checkpoint, audit: { ...audit, stateDifferences } };
  }

  private async change(setting: number, on: boolean): Promise<void> {
    this.settings = on ? this.settings | setting : this.settings & ~setting;
    await this.connection.request(KIND.settings, encodeSettings(this.settings));
  }

  /** A handle that was dropped needs no release, and a library that is gone has nothing left to release. */
  private release(kind: number, handle: number): void {
    this.connection.request(kind, encodeHandle(handle)).catch((error: unknown) => {
      if (hasCode(error, 'RMK_ERR_RELEASED', 'RMK_ERR_GONE')) return;
      diagnose('hypervisor', 'the library in QEMU did not release a handle', error);
    });
  }
}

/** A library that is gone holds nothing. */
async function unlessGone(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!hasCode(error, 'RMK_ERR_GONE')) throw error;
  }
}
