import type { Socket } from 'node:net';
import { messageOf, RmkError } from '@rmk/core';
import type { ControlEvents, CutHandler } from './checkpointControl.js';
import {
  decodeCall,
  decodeFailure,
  decodeFrame,
  encodeFields,
  encodeFrame,
  HEADER_BYTES,
  KIND,
  payloadLength,
  type Frame,
} from './libraryProtocol.js';
import { connectUnix } from './unixSocket.js';

const CONNECT_LIMIT_MS = 10_000;
/**
 * For each order: far more than any takes, even with digests of 3 GiB on a busy host. A QEMU that has not answered by then
 * hangs, and nobody shall wait for it for ever.
 */
const ORDER_LIMIT_MS = 60_000;

interface Order {
  readonly kind: number;
  readonly payload: Uint8Array | undefined;
  readonly limitMs: number;
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/** What the library asks for while it carries out an order, where the control is by QMP. */
export interface QmpOrders {
  /** Has QEMU save its device state into this file; resolves once the VM runs again, if it ran. */
  save(path: string): Promise<void>;
  /** Has QEMU load the snapshot. */
  load(): Promise<void>;
}

/** The conversation with the library in QEMU: orders and their answers, and what the library says by itself. */
export class LibraryConnection {
  private readonly waiting: Order[] = [];
  private current: Order | undefined;
  private timer: NodeJS.Timeout | undefined;
  private received: Buffer[] = [];
  private receivedBytes = 0;
  private sequence = 0n;
  private loss: RmkError | undefined;
  private closing = false;
  private cutHandler: CutHandler | undefined;
  private cutFailure: unknown;
  private qmpOrders: QmpOrders | undefined;
  private qmpOrder: Promise<void> | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly events: ControlEvents,
    private readonly whyLost: () => string,
  ) {
    socket.on('data', (piece: Buffer) => this.receive(piece));
    socket.on('error', (error) => this.lose(messageOf(error)));
    socket.on('close', () => this.lose('it closed the connection'));
  }

  /** `whyLost`: what is known of QEMU's end, for errors. One RMK at a time is served; another one waits for its turn. */
  static async open(path: string, events: ControlEvents, whyLost: () => string): Promise<LibraryConnection> {
    return new LibraryConnection(await connectUnix(path, CONNECT_LIMIT_MS), events, whyLost);
  }

  /**
   * Orders go out one by one: while one is carried out, the library takes nothing but what it asked for. Rejects with the
   * library's failure, or with `RMK_ERR_GONE` where the library is gone, or has not answered in time.
   */
  order(kind: number, payload?: Uint8Array, limitMs: number = ORDER_LIMIT_MS): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.loss !== undefined) {
        reject(this.loss);
        return;
      }
      this.waiting.push({ kind, payload, limitMs, resolve, reject });
      this.sendNext();
    });
  }

  private sendNext(): void {
    if (this.current !== undefined) return;
    this.current = this.waiting.shift();
    if (this.current === undefined) return;
    const { limitMs } = this.current;
    this.timer = setTimeout(() => {
      this.lose(`it did not answer within ${limitMs} ms: QEMU hangs`);
      this.socket.destroy();
    }, limitMs);
    this.sequence++;
    this.socket.write(encodeFrame(this.current.kind, this.sequence, this.current.payload));
  }

  onCut(handler: CutHandler | undefined): void {
    this.cutHandler = handler;
  }

  carryOut(orders: QmpOrders): void {
    this.qmpOrders = orders;
  }

  close(): void {
    this.closing = true;
    this.socket.destroy();
  }

  private receive(piece: Buffer): void {
    this.received.push(piece);
    this.receivedBytes += piece.length;
    try {
      for (let frame = this.nextFrame(); frame !== undefined; frame = this.nextFrame()) this.take(frame);
    } catch (error) {
      this.lose(messageOf(error));
      this.socket.destroy();
    }
  }

  private nextFrame(): Frame | undefined {
    if (this.receivedBytes < HEADER_BYTES) return undefined;
    if (this.received.length > 1 && (this.received[0]?.length ?? 0) < HEADER_BYTES) this.join();
    const head = this.received[0];
    if (head === undefined) return undefined;
    const bytes = HEADER_BYTES + payloadLength(head);
    if (this.receivedBytes < bytes) return undefined;
    const all = this.join();
    const rest = all.subarray(bytes);
    this.received = rest.length === 0 ? [] : [rest];
    this.receivedBytes = rest.length;
    return decodeFrame(all.subarray(0, HEADER_BYTES), all.subarray(HEADER_BYTES, bytes));
  }

  private join(): Buffer {
    const all = this.received.length === 1 ? this.received[0] : undefined;
    const joined = all ?? Buffer.concat(this.received);
    this.received = [joined];
    return joined;
  }

  private take({ kind, sequence, payload }: Frame): void {
    if (kind === KIND.cut) {
      this.answerCut(sequence, payload);
      return;
    }
    if (kind === KIND.lost) {
      this.events.lost(payload.toString('utf8'));
      return;
    }
    if (kind === KIND.save) {
      this.qmpOrder = this.refusing(this.qmpOrders?.save(payload.toString('utf8')));
      return;
    }
    if (kind === KIND.load) {
      this.qmpOrder = this.refusing(this.qmpOrders?.load().then(() => this.tellCarriedOut(true)));
      return;
    }
    // What was refused as malformed has no number.
    if (sequence !== this.sequence) return;
    const { qmpOrder } = this;
    this.qmpOrder = undefined;
    if (qmpOrder === undefined) this.settle(kind, payload);
    else void qmpOrder.then(() => this.settle(kind, payload));
  }

  private settle(kind: number, payload: Buffer): void {
    const { current, cutFailure } = this;
    clearTimeout(this.timer);
    this.current = undefined;
    this.cutFailure = undefined;
    if (kind === KIND.failure) current?.reject(decodeFailure(payload));
    else if (cutFailure !== undefined) current?.reject(cutFailure);
    else current?.resolve(payload);
    this.sendNext();
  }

  /** The library waits: it is told at once where QEMU refuses, and its answer to the order says so. */
  private async refusing(order: Promise<void> | undefined): Promise<void> {
    try {
      await order;
    } catch {
      this.tellCarriedOut(false);
    }
  }

  private tellCarriedOut(done: boolean): void {
    this.socket.write(encodeFrame(KIND.carriedOut, 0n, encodeFields(['u32', done ? 1 : 0], ['u32', 0])));
  }

  /** The guest stands still until this is answered, whatever the handler does. */
  private answerCut(sequence: bigint, payload: Buffer): void {
    try {
      this.cutHandler?.(decodeCall(payload));
    } catch (error) {
      this.cutFailure = error;
    }
    this.socket.write(encodeFrame(KIND.cutAnswer, sequence));
  }

  private lose(why: string): void {
    if (this.loss !== undefined) return;
    clearTimeout(this.timer);
    const end = this.whyLost();
    this.loss = new RmkError(
      'RMK_ERR_GONE',
      `the library in QEMU is gone: ${why}${end === '' ? '' : `; QEMU said: ${end}`}`,
    );
    this.current?.reject(this.loss);
    this.current = undefined;
    for (const { reject } of this.waiting.splice(0)) reject(this.loss);
    if (!this.closing) this.events.closed(this.loss.message);
  }
}
