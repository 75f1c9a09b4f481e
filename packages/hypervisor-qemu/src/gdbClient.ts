import type { Socket } from 'node:net';
import { messageOf, RmkError } from '@rmk/core';
import { framed, PacketReader } from './remoteSerial.js';
import { connectUnix } from './unixSocket.js';

interface Waiting {
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

export interface GdbOptions {
  /** Milliseconds of host time for the connection. */
  readonly connectWithinMs?: number;
  /** Milliseconds of host time for each answer; without it an answer may take for ever, as that to `c` may. */
  readonly answerWithinMs?: number;
  /** Packets that tell that the target stopped: replies to `s` and `c`, or, for whoever sends neither, none. */
  readonly stopReplies?: 'answers' | 'ignored';
}

const CONNECT_WITHIN_MS = 5000;
/** Less than the stub's own packet size. */
const CHUNK = 0xf00;
const LONGEST_DESCRIPTION = 1 << 20;
const STOP_REPLY = /^[TS][0-9a-f]{2}/;

/**
 * A client of QEMU's gdb stub. QEMU 7.2 knows no NoAckMode, but takes the next `$` for the acknowledgement of the
 * packet before, so none is sent.
 */
export class GdbClient {
  private readonly reader = new PacketReader();
  private readonly waiting: Waiting[] = [];
  private gone: RmkError | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly options: GdbOptions,
  ) {
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => this.receive(piece));
    socket.on('error', (error) => this.lose('RMK_ERR_GONE', messageOf(error)));
    socket.on('close', () => this.lose('RMK_ERR_GONE', 'QEMU closed the connection of its gdb stub'));
  }

  /** Waits for the stub to listen. Whoever connects stops the VM. `RMK_ERR_TIMEOUT`. */
  static async connect(path: string, options: GdbOptions = {}): Promise<GdbClient> {
    return new GdbClient(await connectUnix(path, options.connectWithinMs ?? CONNECT_WITHIN_MS), options);
  }

  /**
   * Sends a packet and gives the reply; an empty one means that the stub does not know the request. `RMK_ERR_GONE`
   * where the connection is or gets lost, `RMK_ERR_TIMEOUT` where no answer comes in time: the connection is useless then.
   */
  ask(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.gone !== undefined) {
        reject(this.gone);
        return;
      }
      const { answerWithinMs } = this.options;
      const late = (): void =>
        this.lose('RMK_ERR_TIMEOUT', `the gdb stub did not answer ${text} within ${answerWithinMs} ms`);
      const timer = answerWithinMs === undefined ? undefined : setTimeout(late, answerWithinMs);
      this.waiting.push({ resolve, reject, timer });
      this.socket.write(framed(text));
    });
  }

  /** As {@link ask}, where the stub must agree: `RMK_ERR_HYPERVISOR`. */
  async order(text: string): Promise<void> {
    const reply = await this.ask(text);
    if (reply === 'OK') return;
    throw new RmkError(
      'RMK_ERR_HYPERVISOR',
      `the gdb stub answers ${JSON.stringify(reply.slice(0, 200))} to ${text}`,
    );
  }

  /** A file of the target's description. `RMK_ERR_HYPERVISOR` where there is none. */
  async description(file: string): Promise<string> {
    let text = '';
    for (;;) {
      const reply = await this.ask(
        `qXfer:features:read:${file}:${text.length.toString(16)},${CHUNK.toString(16)}`,
      );
      if (!/^[lm]/.test(reply) || text.length > LONGEST_DESCRIPTION) {
        throw new RmkError('RMK_ERR_HYPERVISOR', `the gdb stub has no ${file}: ${reply.slice(0, 200)}`);
      }
      text += reply.slice(1);
      if (reply.startsWith('l')) return text;
    }
  }

  close(): void {
    this.lose('RMK_ERR_STATE', 'the connection to the gdb stub was closed');
  }

  private receive(piece: string): void {
    for (const text of this.packetsOf(piece)) {
      if (this.options.stopReplies === 'ignored' && STOP_REPLY.test(text)) continue;
      const waiting = this.waiting.shift();
      clearTimeout(waiting?.timer);
      waiting?.resolve(text);
    }
  }

  private packetsOf(piece: string): readonly string[] {
    try {
      return this.reader.read(piece);
    } catch (error) {
      this.lose('RMK_ERR_HYPERVISOR', messageOf(error));
      return [];
    }
  }

  private lose(
    code: 'RMK_ERR_GONE' | 'RMK_ERR_TIMEOUT' | 'RMK_ERR_HYPERVISOR' | 'RMK_ERR_STATE',
    reason: string,
  ): void {
    if (this.gone !== undefined) return;
    const error = new RmkError(code, reason);
    this.gone = error;
    this.socket.destroy();
    for (const { reject, timer } of this.waiting.splice(0)) {
      clearTimeout(timer);
      reject(error);
    }
  }
}
