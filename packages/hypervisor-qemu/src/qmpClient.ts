import type { Socket } from 'node:net';
import { messageOf, RmkError } from '@rmk/core';
import { z } from 'zod';
import { LineReader } from './lineReader.js';
import { connectUnix } from './unixSocket.js';

/** An event as QEMU told it; what is in `data` depends on the event. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** When it happened, by the clock of the host, where QEMU says so. */
  readonly timestamp?: { readonly seconds: number; readonly microseconds: number } | undefined;
}

export interface QmpOptions {
  /** Milliseconds of host time for the connection, its greeting, and each command that says nothing else. */
  readonly timeoutMs?: number;
  /** Called when the connection is lost: what is known about the end of QEMU, such as the end of its stderr. */
  readonly whyLost?: () => string;
  /** While nobody listens on the socket: why nobody ever will, for instance because QEMU ended. */
  readonly givenUp?: () => string | undefined;
}

const TIMEOUT_MS = 10_000;
/** QEMU's longest answer by far is its own schema, with some 200 KiB. */
const LONGEST_LINE = 4 << 20;

const greeting = z.object({
  QMP: z.object({
    version: z.object({
      qemu: z.object({ major: z.int(), minor: z.int(), micro: z.int() }),
      package: z.string(),
    }),
  }),
});
const answer = z.object({ id: z.int(), return: z.unknown() });
const refusal = z.object({
  id: z.int().optional(),
  error: z.object({ class: z.string(), desc: z.string() }),
});
const told = z.object({
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

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * QEMU's machine protocol over a unix socket. Commands are answered in their order; each has a time limit, and the loss
 * of the connection rejects all that are pending. Nothing that the socket says is taken unchecked.
 */
export class QmpClient {
  private readonly pending = new Map<number, Pending>();
  private readonly reader: LineReader;
  private listeners: readonly ((event: QmpEvent) => void)[] = [];
  private lossListeners: readonly ((error: RmkError) => void)[] = [];
  private nextId = 1;
  private loss: RmkError | undefined;
  private greeted: ((line: unknown) => void) | undefined;
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

  /** Connects, and agrees on no extensions. `RMK_ERR_TIMEOUT` where no QEMU answers, `RMK_ERR_INPUT` where something else does. */
  static async connect(path: string, options: QmpOptions = {}): Promise<QmpClient> {
    const { timeoutMs = TIMEOUT_MS, whyLost = () => '', givenUp } = options;
    const socket = await connectUnix(path, timeoutMs, givenUp);
    const client = new QmpClient(socket, path, timeoutMs, whyLost);
    try {
      await client.greet();
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
   * Runs a command and gives what it returned. `RMK_ERR_HYPERVISOR` where QEMU refuses it, `RMK_ERR_TIMEOUT` where no
   * answer comes in time (it may still be carried out), `RMK_ERR_GONE` where QEMU is or gets lost.
   */
  execute(
    command: string,
    args: Readonly<Record<string, unknown>> = {},
    timeoutMs: number = this.timeoutMs,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.loss !== undefined) {
        reject(this.loss);
        return;
      }
      const id = this.nextId++;
      const timer = setTimeout(() => {
        this.pending.delete(id);
        reject(new RmkError('RMK_ERR_TIMEOUT', `QEMU did not answer ${command} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.pending.set(id, { command, resolve, reject, timer });
      this.socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  /** As {@link execute}, with the shape of the answer checked: `RMK_ERR_HYPERVISOR` where it is another. */
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
      `QEMU's answer to ${command} is not of the shape that this driver knows: ${z.prettifyError(checked.error)}`,
    );
  }

  /** What the human monitor answers to a line. */
  humanMonitor(line: string): Promise<string> {
    return this.query('human-monitor-command', z.string(), { 'command-line': line });
  }

  onEvent(listener: (event: QmpEvent) => void): Disposable {
    const entry = (event: QmpEvent): void => listener(event);
    this.listeners = [...this.listeners, entry];
    return {
      [Symbol.dispose]: () => {
        this.listeners = this.listeners.filter((other) => other !== entry);
      },
    };
  }

  /** Called once when the connection is lost, after everything pending was rejected; not after {@link close}. */
  onLost(listener: (error: RmkError) => void): Disposable {
    const entry = (error: RmkError): void => listener(error);
    this.lossListeners = [...this.lossListeners, entry];
    return {
      [Symbol.dispose]: () => {
        this.lossListeners = this.lossListeners.filter((other) => other !== entry);
      },
    };
  }

  close(): void {
    this.lossListeners = [];
    this.lose('the QMP connection was closed by RMK');
  }

  private greet(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.greeted = undefined;
        reject(
          new RmkError(
            'RMK_ERR_TIMEOUT',
            `no greeting came from the QMP socket ${this.path} within ${this.timeoutMs} ms: ` +
              'QEMU hangs, or another program is connected to it',
          ),
        );
      }, this.timeoutMs);
      this.pending.set(0, { command: 'the greeting', resolve: () => {}, reject, timer });
      this.greeted = (line) => {
        const parsed = greeting.safeParse(line);
        clearTimeout(timer);
        this.pending.delete(0);
        this.greeted = undefined;
        if (parsed.success) {
          const { qemu, package: distribution } = parsed.data.QMP.version;
          this.knownVersion = { ...qemu, package: distribution };
          resolve();
        } else {
          reject(new RmkError('RMK_ERR_INPUT', `what listens on ${this.path} does not greet as QEMU does`));
        }
      };
    });
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
    if (this.loss !== undefined) return;
    const message = parseJson(line);
    if (this.greeted !== undefined) {
      this.greeted(message);
      return;
    }
    const event = told.safeParse(message);
    if (event.success) {
      for (const listener of this.listeners) listener(event.data);
      return;
    }
    const refused = refusal.safeParse(message);
    if (refused.success) {
      const { id, error } = refused.data;
      const pending = this.settle(id);
      pending?.reject(new RmkError('RMK_ERR_HYPERVISOR', `QEMU refuses ${pending.command}: ${error.desc}`));
      return;
    }
    const answered = answer.safeParse(message);
    if (answered.success) {
      // Nobody waits any more for what comes after its time limit.
      this.settle(answered.data.id)?.resolve(answered.data.return);
      return;
    }
    this.lose(`the QMP socket ${this.path} sent what is no QMP: ${JSON.stringify(line.slice(0, 200))}`);
  }

  private settle(id: number | undefined): Pending | undefined {
    if (id === undefined) return undefined;
    const pending = this.pending.get(id);
    if (pending === undefined) return undefined;
    this.pending.delete(id);
    clearTimeout(pending.timer);
    return pending;
  }

  private lose(reason: string): void {
    if (this.loss !== undefined) return;
    const known = this.whyLost();
    const error = new RmkError('RMK_ERR_GONE', known === '' ? reason : `${reason}; ${known}`);
    this.loss = error;
    this.socket.destroy();
    for (const { reject, timer } of this.pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.pending.clear();
    for (const listener of this.lossListeners) listener(error);
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
