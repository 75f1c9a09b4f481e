import type { Socket } from 'node:net';
import { messageOf, RmkError } from '@rmk/core';
import { framed } from '@rmk/driver';
import { PendingRequests } from '../process/pendingRequests.js';
import { connectUnix } from '../process/unixSocket.js';
import { PacketReader } from './remoteSerial.js';

export interface GdbOptions {
  /** Milliseconds of host time for the connection. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds of host time for each response; without it a response may take forever, as that to `c` may. */
  readonly responseTimeoutMs?: number;
  /**
   * Packets that report a stop of the target: responses to `s` and `c`, or to be ignored by a client that sends
   * neither.
   */
  readonly stopReplies?: 'responses' | 'ignored';
}

const CONNECT_TIMEOUT_MS = 5000;
/** Less than the stub's own packet size. */
const CHUNK = 0xf00;
const LONGEST_DESCRIPTION = 1 << 20;
const STOP_REPLY = /^[TS][0-9a-f]{2}/;

/**
 * A client of QEMU's gdb stub. QEMU 7.2 knows no NoAckMode, but takes the next `$` for the acknowledgement of the
 * packet before, so the client sends none.
 */
export class GdbClient {
  private readonly reader = new PacketReader();
  /** The stub responds in the order of the requests. */
  private readonly requests = new PendingRequests<string>();

  private constructor(
    private readonly socket: Socket,
    private readonly options: GdbOptions,
  ) {
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => this.receive(piece));
    socket.on('error', (error) => this.lose('RMK_ERR_GONE', messageOf(error)));
    socket.on('close', () => this.lose('RMK_ERR_GONE', 'QEMU closed the connection of its gdb stub'));
  }

  /** Waits for the stub to listen. Connecting pauses the VM. Throws `RMK_ERR_TIMEOUT`. */
  static async connect(path: string, options: GdbOptions = {}): Promise<GdbClient> {
    return new GdbClient(await connectUnix(path, options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS), options);
  }

  /**
   * Sends a packet and returns the response, which is empty if the stub does not know the request. Throws
   * `RMK_ERR_GONE` if the connection is or gets lost, `RMK_ERR_TIMEOUT` if no response comes in time: that ends the
   * connection.
   */
  request(text: string): Promise<string> {
    const { responseTimeoutMs: ms } = this.options;
    const expired = (): void =>
      this.lose('RMK_ERR_TIMEOUT', `the gdb stub did not respond to ${text} within ${ms} ms`);
    return this.requests.add(
      text,
      () => this.socket.write(framed(text)),
      ms === undefined ? undefined : { ms, expired },
    );
  }

  /** As {@link request}, but throws `RMK_ERR_HYPERVISOR` unless the stub responds `OK`. */
  async command(text: string): Promise<void> {
    const response = await this.request(text);
    if (response === 'OK') return;
    throw new RmkError(
      'RMK_ERR_HYPERVISOR',
      `the gdb stub responded ${JSON.stringify(response.slice(0, 200))} to ${text}`,
    );
  }

  /** A file of the target's description. Throws `RMK_ERR_HYPERVISOR` if it is missing. */
  async description(file: string): Promise<string> {
    let text = '';
    for (;;) {
      const response = await this.request(
        `qXfer:features:read:${file}:${text.length.toString(16)},${CHUNK.toString(16)}`,
      );
      if (!/^[lm]/.test(response) || text.length > LONGEST_DESCRIPTION) {
        throw new RmkError('RMK_ERR_HYPERVISOR', `the gdb stub has no ${file}: ${response.slice(0, 200)}`);
      }
      text += response.slice(1);
      if (response.startsWith('l')) return text;
    }
  }

  close(): void {
    this.lose('RMK_ERR_STATE', 'the connection to the gdb stub was closed');
  }

  private receive(piece: string): void {
    for (const text of this.packetsOf(piece)) {
      if (this.options.stopReplies === 'ignored' && STOP_REPLY.test(text)) continue;
      this.requests.resolve(this.requests.oldest, text);
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
    this.requests.lose(new RmkError(code, reason));
    this.socket.destroy();
  }
}
