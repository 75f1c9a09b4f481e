import type { Duplex } from 'node:stream';
import { framed } from '@rmk/driver';
import { GdbCommands, type GdbTarget } from './gdbCommands.js';
import { RequestReader, type GdbRequest } from './requestReader.js';

/** How a session ended. `'gone'`: gdb, or the connection to it, went away. */
export type GdbSessionEnd = 'detached' | 'killed' | 'gone';

/** Requests that may wait: gdb sends the next one when it has the response. */
const MOST_WAITING = 64;
/** Characters of text in one packet. */
const TEXT_CHARACTERS = 1024;

/** A request that was not executed yet. */
interface Waiting {
  readonly packet: string;
  /** What interrupts it. */
  readonly abort: AbortController;
}

/**
 * Serves one gdb over its remote serial protocol until it goes and its last command has ended. Its breakpoints go with
 * it. Throws `RMK_ERR_INPUT` if what is connected does not keep to the protocol.
 */
export function serveGdb(stream: Duplex, target: GdbTarget): Promise<GdbSessionEnd> {
  return new GdbSession(stream, target).end;
}

class GdbSession {
  readonly end: Promise<GdbSessionEnd>;
  private readonly reader = new RequestReader();
  private readonly commands: GdbCommands;
  private readonly waiting: Waiting[] = [];
  private finish: (end: GdbSessionEnd) => void = () => {};
  private refuse: (error: unknown) => void = () => {};
  private isWorking = false;
  /** Settles when the requests that have arrived so far are executed. */
  private work: Promise<void> = Promise.resolve();
  private isOver = false;
  private acknowledges = true;
  private lastSent = '';
  private running = new AbortController();

  constructor(
    private readonly stream: Duplex,
    private readonly target: GdbTarget,
  ) {
    this.commands = new GdbCommands(target, (text) => this.say(text));
    const gone = new Promise<GdbSessionEnd>((resolve, reject) => {
      this.finish = resolve;
      this.refuse = reject;
    });
    this.end = this.closedAfter(gone);
    stream.setEncoding('latin1');
    stream.on('data', (piece: string) => this.receive(piece));
    stream.on('error', () => this.leave('gone'));
    for (const event of ['end', 'close']) stream.on(event, () => this.leave('gone'));
  }

  private receive(piece: string): void {
    if (this.isOver) return;
    try {
      for (const request of this.reader.read(piece)) if (!this.isOver) this.take(request);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (!this.isWorking) this.work = this.executeAll().catch((error: unknown) => this.fail(error));
  }

  private take(request: GdbRequest): void {
    switch (request.kind) {
      case 'interrupt':
        this.interrupt();
        return;
      case 'refused':
        this.stream.write(this.lastSent, 'latin1');
        return;
      case 'damaged':
        if (this.acknowledges) this.stream.write('-');
        return;
      case 'packet':
        if (this.acknowledges) this.stream.write('+');
        if (this.waiting.length < MOST_WAITING)
          this.waiting.push({ packet: request.text, abort: new AbortController() });
        else this.leave('gone');
    }
  }

  private async executeAll(): Promise<void> {
    this.isWorking = true;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      if (this.isOver) return;
      this.running = next.abort;
      await this.respondTo(next.packet);
    }
    this.isWorking = false;
  }

  /** What waits, too: an interrupt may arrive together with the request that it is meant for. */
  private interrupt(): void {
    for (const abort of [this.running, ...this.waiting.map((each) => each.abort)])
      if (!abort.signal.aborted) abort.abort();
  }

  private async respondTo(packet: string): Promise<void> {
    if (packet === 'k') return this.leave('killed');
    if (packet.startsWith('vKill;')) {
      this.send('OK');
      return this.leave('killed');
    }
    if (packet === 'D' || packet.startsWith('D;')) {
      this.send('OK');
      return this.leave('detached');
    }
    if (packet === 'QStartNoAckMode') {
      this.send('OK');
      this.acknowledges = false;
      return;
    }
    const response = await this.commands.respond(packet, this.running.signal);
    if (!this.isOver) this.send(response);
  }

  private send(text: string): void {
    this.lastSent = framed(text);
    this.stream.write(this.lastSent, 'latin1');
  }

  private say(text: string): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += TEXT_CHARACTERS)
      this.send(`O${bytes.subarray(at, at + TEXT_CHARACTERS).toString('hex')}`);
  }

  private leave(end: GdbSessionEnd): void {
    this.finish(end);
    this.isOver = true;
    this.interrupt();
  }

  private fail(error: unknown): void {
    this.refuse(error);
    this.isOver = true;
    this.interrupt();
  }

  /** Leaves the guest to the next gdb: what this one asked for moves it no more. */
  private async closedAfter(gone: Promise<GdbSessionEnd>): Promise<GdbSessionEnd> {
    try {
      return await gone;
    } finally {
      await this.work;
      this.target.travel.stops.clear();
      this.stream.end(() => this.stream.destroy());
    }
  }
}
