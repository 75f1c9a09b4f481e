import { hasCode, messageOf, RmkError } from '@rmk/core';
import { z } from 'zod';
import type {
  CheckpointControl,
  ControlEvents,
  ControlKind,
  ControlOptions,
  ControlRollback,
  Cut,
  CutHandler,
  LogHandle,
  StateHandle,
  TrackerKind,
} from './checkpointControl.js';
import type { ControlTarget } from './controlTarget.js';
import { LibraryConnection } from './libraryConnection.js';
import {
  CONTROL,
  decodeCount,
  decodeCut,
  decodeHello,
  decodeNumbers,
  encodeFields,
  KIND,
  SETTING,
  type Hello,
} from './libraryProtocol.js';
import { unexplainedOffsets } from './stateSections.js';

/** Device states kept at once, and the largest of them. A PC with virtio devices has 10 to 60 KiB. */
const STATES = 64;
const STATE_BYTES = 512 << 10;
/** How long the guest may wait for the answer of a cut handler. */
const CUT_LIMIT_MS = 2000;
/** Where QEMU hangs, it is not asked for longer. */
const END_LIMIT_MS = 5000;
/** The library takes no longer orders. */
const LONGEST_WRITE = 512 << 10;

const runState = z.object({ running: z.boolean(), status: z.string() });

/** What both ways of control have in common: the library in QEMU keeps the logs and states, and does the work on RAM. */
export abstract class LibraryControl implements CheckpointControl {
  abstract readonly kind: ControlKind;
  abstract readonly tracker: TrackerKind;

  protected constructor(
    protected readonly connection: LibraryConnection,
    private settings: number,
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
        'QEMU was started without the library: there is no RMK_LIBRARY_SOCKET',
      );
    }
    const connection = await LibraryConnection.open(target.librarySocket, events, target.stderrTail);
    try {
      const hello = decodeHello(await connection.order(KIND.hello));
      if (hello.process !== target.pid || hello.ramBytes !== target.memoryBytes) {
        throw new RmkError(
          'RMK_ERR_HYPERVISOR',
          `the library is that of another QEMU, process ${hello.process}`,
        );
      }
      check(hello);
      const { running } = await target.qmp.query('query-status', runState);
      const settings = options.audit ? SETTING.audit : 0;
      await connection.order(
        KIND.start,
        encodeFields(
          ['u32', CONTROL[control]],
          ['u32', settings],
          ['u32', options.logPages],
          ['u32', STATES],
          ['u32', STATE_BYTES],
          ['u32', CUT_LIMIT_MS],
          ['u32', running ? 1 : 0],
          ['u32', 0],
        ),
      );
      return { connection, settings };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async checkpoint(): Promise<Cut> {
    return decodeCut(await this.connection.order(KIND.checkpoint)).cut;
  }

  async rollback(state: StateHandle, logs: readonly LogHandle[]): Promise<ControlRollback> {
    const handles = logs.map((log) => ['u64', log] as const);
    const answer = await this.connection.order(KIND.rollback, encodeFields(['u64', state], ...handles));
    const { cut, pagesRestored, steps } = decodeCut(answer);
    return { ...(await this.explained(state, cut)), pagesRestored, steps };
  }

  async frames(log: LogHandle): Promise<Uint32Array> {
    return decodeNumbers(await this.connection.order(KIND.frames, encodeFields(['u64', log])));
  }

  async page(log: LogHandle, frame: number): Promise<Uint8Array | undefined> {
    const page = await this.connection.order(
      KIND.page,
      encodeFields(['u64', log], ['u32', frame], ['u32', 0]),
    );
    return page.length === 0 ? undefined : page;
  }

  async verifyLog(log: LogHandle): Promise<Uint32Array> {
    return decodeNumbers(await this.connection.order(KIND.verifyLog, encodeFields(['u64', log])));
  }

  async verifyState(state: StateHandle): Promise<boolean> {
    return decodeCount(await this.connection.order(KIND.verifyState, encodeFields(['u64', state]))) === 1;
  }

  async stateStream(state: StateHandle): Promise<Uint8Array> {
    return this.connection.order(KIND.state, encodeFields(['u64', state]));
  }

  releaseLog(log: LogHandle): void {
    this.release(KIND.releaseLog, log);
  }

  releaseState(state: StateHandle): void {
    this.release(KIND.releaseState, state);
  }

  async write(address: number, data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += LONGEST_WRITE) {
      const piece = data.subarray(at, at + LONGEST_WRITE);
      await this.connection.order(KIND.write, Buffer.concat([encodeFields(['u64', address + at]), piece]));
    }
  }

  async memoryReplaced(): Promise<void> {
    await unlessGone(this.connection.order(KIND.replaced));
  }

  async pagesWrittenSinceAsked(): Promise<number> {
    return decodeCount(await this.connection.order(KIND.written));
  }

  async onCut(handler: CutHandler | undefined): Promise<void> {
    this.connection.onCut(handler);
    await this.change(SETTING.callAtCut, handler !== undefined);
  }

  async setAudit(audit: boolean): Promise<void> {
    await this.change(SETTING.audit, audit);
  }

  async close(): Promise<void> {
    try {
      await unlessGone(this.connection.order(KIND.end, undefined, END_LIMIT_MS));
    } finally {
      this.connection.close();
    }
  }

  /** The cut without the differences of its audit that have a good reason. */
  protected async explained(state: StateHandle, cut: Cut): Promise<Cut> {
    const { audit } = cut;
    if (audit?.stateDifferences === undefined || audit.stateDifferences.length === 0) return cut;
    const stateDifferences = unexplainedOffsets(await this.stateStream(state), audit.stateDifferences);
    return { ...cut, audit: { ...audit, stateDifferences } };
  }

  private async change(setting: number, on: boolean): Promise<void> {
    this.settings = on ? this.settings | setting : this.settings & ~setting;
    await this.connection.order(KIND.settings, encodeFields(['u32', this.settings], ['u32', 0]));
  }

  /** What is void already needs no release, and where the library is gone nothing is left to release. */
  private release(kind: number, handle: number): void {
    this.connection.order(kind, encodeFields(['u64', handle])).catch((error: unknown) => {
      if (hasCode(error, 'RMK_ERR_RELEASED', 'RMK_ERR_GONE')) return;
      process.emitWarning(`a release failed: ${messageOf(error)}`);
    });
  }
}

/** A library that is gone holds nothing any more. */
async function unlessGone(order: Promise<unknown>): Promise<void> {
  try {
    await order;
  } catch (error) {
    if (!hasCode(error, 'RMK_ERR_GONE')) throw error;
  }
}
