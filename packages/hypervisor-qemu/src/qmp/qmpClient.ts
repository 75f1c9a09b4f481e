import type { Socket } from 'node:net';
import { messageOf, RmkError } from '@rmk/core';
import { z } from 'zod';
import { PendingRequests } from '../process/pendingRequests.js';
import { connectUnix } from '../process/unixSocket.js';
import { LineReader } from './lineReader.js';

/** An event of QEMU; the content of `data` depends on the event. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** When it happened, by the clock of the host, if QEMU reports it. */
  readonly timestamp?: { readonly seconds: number; readonly microseconds: number } | undefined;
}

export interface QmpOptions {
  /** Milliseconds of host time for the connection, its greeting, and each command without a timeout of its own. */
  readonly timeoutMs?: number;
  /** Called when the connection is lost: what is known about the end of QEMU, such as the end of its stderr. */
  readonly whyLost?: () => string;
  /** While nobody listens on the socket: why nobody ever will, for instance because QEMU ended. */
  readonly whyNobodyListens?: () => string | undefined;
}

const TIMEOUT_MS = 10_000;
/** QEMU's longest response by far is its own schema, with some 200 KiB. */
const LONGEST_LINE = 4 << 20;
const GREETING = 'the greeting';

const greetingShape = z.object({
  QMP: z.object({
    version: z.object({
      qemu: z.object({ major: z.int(), minor: z.int(), micro: z.int() }),
      package: z.string(),
    }),
  }),
});
const responseShape = z.object({ id: z.int(), return: z.unknown() });
const refusalShape = z.object({
  id: z.int().optional(),
  error: z.object({ class: z.string(), desc: z.string() }),
});
const eventShape = z.object({
  event: z.string(),
  data: z.record(z.string(), z.unknown()).default({}),
  timestamp: z.object({ seconds: z.int(), microseconds: z.int() }).optional().catch(undefined),
});

export interface QemuVersion {
  readonly major: number;
  readonly minor: number;
  readonly micro: number;
  /** Of the distribution, such as `Debian 1:7.2+dfsg-7+deb12u18`. */
  readonly package: string;
}

/**
 * QEMU's machine protocol over a unix socket. QEMU responds to commands in their order; each has a timeout, and the
 * loss of the connection rejects all that are pending. Nothing that arrives is trusted unchecked.
 */
export class QmpClient {
  private readonly requests = new PendingRequests<unknown>();
  private readonly reader: LineReader;
  private readonly listeners = new Set<{ readonly call: (event: QmpEvent) => void }>();
  private readonly lossListeners = new Set<{ readonly call: (error: RmkError) => void }>();
  /** The number of the greeting, until it has come. */
  private awaitedGreeting: number | undefined;
  private knownVersion: QemuVersion = { major: 0, minor: 0, micro: 0, package: '' };

  private constructor(
    private readonly socket: Socket,
    /** Of its socket. */
    readonly path: string,
    private readonly timeoutMs: number,
    private readonly whyLost: () => string,
  ) {
    this.reader = new LineReader(`the QMP socket ${path}`, LONGEST_LINE);
    socket.setEncoding('utf8');
    socket.on('data', (piece: string) => this.receive(piece));
    socket.on('error', (error) => this.lose(`the QMP connection failed: ${messageOf(error)}`));
    socket.on('close', () => this.lose('QEMU closed its QMP connection'));
  }

  /**
   * Connects, and enables no extensions. Throws `RMK_ERR_TIMEOUT` if no QEMU responds, `RMK_ERR_INPUT` if something
   * else does.
   */
  static async connect(path: string, options: QmpOptions = {}): Promise<QmpClient> {
    const { timeoutMs = TIMEOUT_MS, whyLost = () => '', whyNobodyListens } = options;
    const socket = await connectUnix(path, timeoutMs, whyNobodyListens);
    const client = new QmpClient(socket, path, timeoutMs, whyLost);
    try {
      client.knownVersion = await client.greeting();
      await client.execute('qmp_capabilities');
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  get version(): QemuVersion {
    return this.knownVersion;
  }

  /**
   * Runs a command and returns its result. Throws `RMK_ERR_HYPERVISOR` if QEMU refuses it, `RMK_ERR_TIMEOUT` if no
   * response comes in time (QEMU may still execute it), `RMK_ERR_GONE` if QEMU is or gets lost.
   */
  execute(
    command: string,
    args: Readonly<Record<string, unknown>> = {},
    timeoutMs: number = this.timeoutMs,
  ): Promise<unknown> {
    const expired = (id: number): void => {
      const late = `QEMU did not respond to ${command} within ${timeoutMs} ms`;
      this.requests.reject(id, new RmkError('RMK_ERR_TIMEOUT', late));
    };
    return this.requests.add(
      command,
      (id) => this.socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`),
      { ms: timeoutMs, expired },
    );
  }

  /** As {@link execute}, with the shape of the result checked: throws `RMK_ERR_HYPERVISOR` if it is another. */
  async query<S extends z.ZodType>(
    command: string,
    shape: S,
    args: Readonly<Record<string, unknown>> = {},
    timeoutMs: number = this.timeoutMs,
  ): Promise<z.output<S>> {
    const checked = shape.safeParse(await this.execute(command, args, timeoutMs));
    if (checked.success) return checked.data;
    throw new RmkError(
      'RMK_ERR_HYPERVISOR',
      `QEMU's response to ${command} has not the shape that this driver knows: ${z.prettifyError(checked.error)}`,
    );
  }

  /** The output of a command line of the human monitor. */
  humanMonitor(line: string): Promise<string> {
    return this.query('human-monitor-command', z.string(), { 'command-line': line });
  }

  onEvent(listener: (event: QmpEvent) => void): Disposable {
    const entry = { call: listener };
    this.listeners.add(entry);
    return { [Symbol.dispose]: () => void this.listeners.delete(entry) };
  }

  /** Called once when the connection is lost, after everything pending was rejected; not after {@link close}. */
  onLost(listener: (error: RmkError) => void): Disposable {
    const entry = { call: listener };
    this.lossListeners.add(entry);
    return { [Symbol.dispose]: () => void this.lossListeners.delete(entry) };
  }

  close(): void {
    this.lossListeners.clear();
    this.lose('RMK closed the QMP connection');
  }

  private async greeting(): Promise<QemuVersion> {
    const expired = (id: number): void =>
      this.requests.reject(
        id,
        new RmkError(
          'RMK_ERR_TIMEOUT',
          `no greeting came from the QMP socket ${this.path} within ${this.timeoutMs} ms: ` +
            'QEMU hangs, or another program is connected to it',
        ),
      );
    const line = await this.requests.add(GREETING, (id) => (this.awaitedGreeting = id), {
      ms: this.timeoutMs,
      expired,
    });
    const parsed = greetingShape.safeParse(line);
    if (!parsed.success) {
      throw new RmkError(
        'RMK_ERR_INPUT',
        `the program that listens on ${this.path} does not greet as QEMU does`,
      );
    }
    const { qemu, package: distribution } = parsed.data.QMP.version;
    return { ...qemu, package: distribution };
  }

  private receive(piece: string): void {
    for (const line of this.linesOf(piece)) if (line.trim() !== '') this.take(line);
  }

  private linesOf(piece: string): readonly string[] {
    try {
      return this.reader.read(piece);
    } catch (error) {
      this.lose(messageOf(error));
      return [];
    }
  }

  private take(line: string): void {
    if (this.requests.loss !== undefined) return;
    const message = parseJson(line);
    if (this.awaitedGreeting !== undefined) {
      this.requests.resolve(this.awaitedGreeting, message);
      this.awaitedGreeting = undefined;
      return;
    }
    const event = eventShape.safeParse(message);
    if (event.success) {
      // A copy: a listener that is added meanwhile waits for the next event.
      for (const listener of Array.from(this.listeners)) listener.call(event.data);
      return;
    }
    const refused = refusalShape.safeParse(message);
    if (refused.success) {
      const { id, error } = refused.data;
      const command = id === undefined ? undefined : this.requests.nameOf(id);
      this.requests.reject(
        id,
        new RmkError('RMK_ERR_HYPERVISOR', `QEMU refuses ${command ?? ''}: ${error.desc}`),
      );
      return;
    }
    const responded = responseShape.safeParse(message);
    if (responded.success) {
      this.requests.resolve(responded.data.id, responded.data.return);
      return;
    }
    this.lose(`the QMP socket ${this.path} sent no QMP: ${JSON.stringify(line.slice(0, 200))}`);
  }

  private lose(reason: string): void {
    if (this.requests.loss !== undefined) return;
    const known = this.whyLost();
    const error = new RmkError('RMK_ERR_GONE', known === '' ? reason : `${reason}; ${known}`);
    this.socket.destroy();
    this.requests.lose(error);
    for (const listener of Array.from(this.lossListeners)) listener.call(error);
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
