import type { Socket } from 'node:net';
import { messageOf, RmkError, Sequencer } from '@rmk/core';
import { PendingRequests } from '../process/pendingRequests.js';
import { connectUnix } from '../process/unixSocket.js';
import type { ControlEvents, PauseHandler } from './checkpointControl.js';
import { FrameReader } from './frameReader.js';
import {
  decodeFailure,
  decodePaused,
  encodeExecuted,
  encodeFrame,
  KIND,
  type Frame,
} from './libraryProtocol.js';

const CONNECT_TIMEOUT_MS = 10_000;
/**
 * For each request, and for each GiB of guest RAM in addition. Far more than any takes, even one that copies all RAM on
 * a busy host: a QEMU that has not responded by then hangs.
 */
const REQUEST_TIMEOUT_MS = 60_000;
const GIB_TIMEOUT_MS = 60_000;

/** What the library asks for while it executes a request, where the control is by QMP. */
export interface QmpCommands {
  /** Makes QEMU save its device state into this file; resolves once the VM runs again, if it ran. */
  save(path: string): Promise<void>;
  /** Makes QEMU load the snapshot. */
  load(): Promise<void>;
}

/** The connection to the library in QEMU: requests and their responses, and what the library reports by itself. */
export class LibraryConnection {
  private readonly frames = new FrameReader();
  private readonly requests = new PendingRequests<Buffer>();
  /** While the library executes a request it accepts nothing but what it asked for. */
  private readonly sequencer = new Sequencer();
  private closing = false;
  private pauseHandler: PauseHandler | undefined;
  private pauseFailure: Error | undefined;
  private qmpCommands: QmpCommands | undefined;
  private qmpCommand: Promise<void> | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly requestTimeoutMs: number,
    private readonly events: ControlEvents,
    private readonly whyLost: () => string,
  ) {
    socket.on('data', (piece: Buffer) => this.receive(piece));
    socket.on('error', (error) => this.lose(messageOf(error)));
    socket.on('close', () => this.lose('it closed the connection'));
  }

  /** `whyLost`: what is known of QEMU's end, for errors. The library serves one RMK at a time; another one waits. */
  static async open(
    path: string,
    memoryBytes: number,
    events: ControlEvents,
    whyLost: () => string,
  ): Promise<LibraryConnection> {
    const requestTimeoutMs = Math.round(REQUEST_TIMEOUT_MS + GIB_TIMEOUT_MS * (memoryBytes / 2 ** 30));
    const socket = await connectUnix(path, CONNECT_TIMEOUT_MS);
    return new LibraryConnection(socket, requestTimeoutMs, events, whyLost);
  }

  /**
   * Sends requests one at a time. Rejects with the library's failure, or with `RMK_ERR_GONE` if the library is gone or
   * has not responded in time.
   */
  request(kind: number, payload?: Uint8Array, timeoutMs: number = this.requestTimeoutMs): Promise<Buffer> {
    return this.sequencer.run(() =>
      this.requests.add(
        `request ${kind}`,
        (id) => this.socket.write(encodeFrame(kind, BigInt(id), payload)),
        { ms: timeoutMs, expired: () => this.lose(`it did not respond within ${timeoutMs} ms: QEMU hangs`) },
      ),
    );
  }

  /** An error that `handler` throws rejects the request under way. */
  onPause(handler: PauseHandler | undefined): void {
    this.pauseHandler = handler;
  }

  setQmpCommands(commands: QmpCommands): void {
    this.qmpCommands = commands;
  }

  close(): void {
    this.closing = true;
    this.socket.destroy();
  }

  private receive(piece: Buffer): void {
    try {
      for (const frame of this.frames.read(piece)) this.take(frame);
    } catch (error) {
      this.lose(messageOf(error));
    }
  }

  private take({ kind, sequence, payload }: Frame): void {
    if (kind === KIND.paused) this.handlePause(sequence, payload);
    else if (kind === KIND.lost) this.events.lost(payload.toString('utf8'));
    else if (kind === KIND.save) {
      this.qmpCommand = this.refusing(this.qmpCommands?.save(payload.toString('utf8')));
    } else if (kind === KIND.load) {
      this.qmpCommand = this.refusing(this.qmpCommands?.load().then(() => this.sendExecuted(true)));
    } else {
      const { qmpCommand } = this;
      this.qmpCommand = undefined;
      const settle = (): void => this.settle(kind, Number(sequence), payload);
      if (qmpCommand === undefined) settle();
      else void qmpCommand.then(settle);
    }
  }

  private settle(kind: number, id: number, payload: Buffer): void {
    const { pauseFailure } = this;
    this.pauseFailure = undefined;
    if (kind === KIND.failure) this.requests.reject(id, decodeFailure(payload));
    else if (pauseFailure !== undefined) this.requests.reject(id, pauseFailure);
    else this.requests.resolve(id, payload);
  }

  /** The library waits: it learns at once that QEMU refuses, and its response to the request reports it. */
  private async refusing(command: Promise<void> | undefined): Promise<void> {
    try {
      await command;
    } catch {
      this.sendExecuted(false);
    }
  }

  private sendExecuted(done: boolean): void {
    this.socket.write(encodeFrame(KIND.executed, 0n, encodeExecuted(done)));
  }

  /** The guest stays paused until the library gets this frame, whatever the handler does. */
  private handlePause(sequence: bigint, payload: Buffer): void {
    try {
      this.pauseHandler?.(decodePaused(payload));
    } catch (error) {
      this.pauseFailure = error instanceof Error ? error : new Error(messageOf(error));
    }
    this.socket.write(encodeFrame(KIND.continue, sequence));
  }

  private lose(why: string): void {
    if (this.requests.loss !== undefined) return;
    const end = this.whyLost();
    const error = new RmkError(
      'RMK_ERR_GONE',
      `the library in QEMU is gone: ${why}${end === '' ? '' : `; QEMU wrote: ${end}`}`,
    );
    this.requests.lose(error);
    this.socket.destroy();
    if (!this.closing) this.events.closed(error.message);
  }
}
