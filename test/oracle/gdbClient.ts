import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { framed, PacketReader } from './remoteSerial.js';

interface Waiting {
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

const ATTEMPTS = 500;
const ATTEMPT_MS = 10;
/** Less than the stub's own packet size. */
const CHUNK = 0xf00;

/**
 * The part of a GDB client that a comparison needs. QEMU 7.2 knows no NoAckMode, but takes the next `$` for the
 * acknowledgement of the packet before, so none is sent.
 */
export class GdbClient {
  private readonly reader = new PacketReader();
  private readonly waiting: Waiting[] = [];
  private gone: Error | undefined;

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => this.receive(piece));
    socket.on('error', (error) => this.lose(error));
    socket.on('close', () => this.lose(new Error('QEMU closed the connection of its gdb stub')));
  }

  /** Waits for the stub to listen. */
  static async connect(path: string): Promise<GdbClient> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return new GdbClient(await opened(path));
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        await wait(ATTEMPT_MS);
      }
    }
  }

  /** Sends a packet and gives the reply; an empty one means that the stub does not know the request. */
  ask(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.gone !== undefined) {
        reject(this.gone);
        return;
      }
      this.waiting.push({ resolve, reject });
      this.socket.write(framed(text));
    });
  }

  /** As {@link ask}, where the stub must agree. */
  async order(text: string): Promise<void> {
    const reply = await this.ask(text);
    if (reply !== 'OK') throw new Error(`the gdb stub answers ${JSON.stringify(reply)} to ${text}`);
  }

  /** A file of the target's description. */
  async description(file: string): Promise<string> {
    let text = '';
    for (;;) {
      const reply = await this.ask(
        `qXfer:features:read:${file}:${text.length.toString(16)},${CHUNK.toString(16)}`,
      );
      if (!/^[lm]/.test(reply)) throw new Error(`the gdb stub has no ${file}: ${reply}`);
      text += reply.slice(1);
      if (reply.startsWith('l')) return text;
    }
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(piece: string): void {
    try {
      for (const text of this.reader.read(piece)) this.waiting.shift()?.resolve(text);
    } catch (error) {
      this.lose(error as Error);
    }
  }

  private lose(error: Error): void {
    this.gone ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

function opened(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
