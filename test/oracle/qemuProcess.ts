import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { QEMU } from './qemu.js';
import { qemuGuestFiles, type OracleGuest } from './guest.js';

/** Nothing that this machine's user has configured, no screen, no network; the serial line is ours. */
const BARE = ['-no-user-config', '-nodefaults', '-display', 'none', '-monitor', 'none', '-serial', 'stdio'];

/** The instruction set of the embedded hart, as far as QEMU's can be had without what it has more. */
const CPU = 'rv32,f=off,d=off,zba=on,zbb=on,zbc=off,zbs=on';

/** Time is counted in instructions, 2^shift ns each, and idle time is skipped: so every run is the same run. */
export function countedTime(shift: number): readonly string[] {
  return ['-icount', `shift=${shift},sleep=off`];
}

export interface QemuOptions {
  /** Options of `-M virt`, beginning with a comma. */
  readonly machine?: string;
  readonly args: readonly string[];
  /** Milliseconds of host time after which QEMU is killed. */
  readonly timeout: number;
}

const FIRST_OUTPUT_POLL_MS = 5;

/**
 * A QEMU that runs one guest, with its serial line. What the guest puts out goes to a file: through a pipe that is
 * read too slowly QEMU loses the last bytes before its guest ends.
 */
export class QemuProcess {
  /** Exit code of QEMU, which is that of the guest; rejected where QEMU failed, was killed or took too long. */
  readonly ended: Promise<number>;
  private messages = '';
  private timedOut = false;
  private readonly child: ChildProcessByStdio<Writable, null, Readable>;

  private constructor(
    args: readonly string[],
    guest: OracleGuest,
    private readonly outputFile: string,
    timeout: number,
  ) {
    const outputDescriptor = openSync(outputFile, 'w');
    const child = spawn(QEMU, args, { stdio: ['pipe', outputDescriptor, 'pipe'] });
    this.child = child as ChildProcessByStdio<Writable, null, Readable>;
    closeSync(outputDescriptor);
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.messages += text));
    this.child.stdin.on('error', () => {}); // The guest may end before it has read everything.
    const timer = setTimeout(() => {
      this.timedOut = true;
      this.child.kill('SIGKILL');
    }, timeout);
    const kill = (): void => this.kill();
    process.once('exit', kill);
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        clearTimeout(timer);
        process.off('exit', kill);
        if (code !== null && !this.failed) resolve(code);
        else reject(this.failure(guest, signal, timeout));
      });
    });
    this.ended.catch(() => {}); // Whoever awaits it gets the error.
  }

  static async start(
    guest: OracleGuest,
    folder: string,
    { machine = '', args, timeout }: QemuOptions,
  ): Promise<QemuProcess> {
    const { args: guestArgs, files } = qemuGuestFiles(guest, folder);
    await Promise.all([...files].map(([file, data]) => writeFile(file, data)));
    const allArgs = ['-M', `virt${machine}`, '-cpu', CPU, ...BARE, ...guestArgs, ...args];
    return new QemuProcess(allArgs, guest, `${folder}/output`, timeout);
  }

  /** All that the guest has put out so far. */
  get output(): Uint8Array {
    return Uint8Array.from(readFileSync(this.outputFile));
  }

  /** Sends bytes once the guest has put something out. */
  sendAfterFirstOutput(bytes: Uint8Array): void {
    const poll = setInterval(() => {
      if (statSync(this.outputFile).size === 0) return;
      clearInterval(poll);
      this.send(bytes);
    }, FIRST_OUTPUT_POLL_MS);
    this.child.once('exit', () => clearInterval(poll));
  }

  /** Puts bytes on the serial line. QEMU takes them when the UART's FIFO has room. */
  send(bytes: Uint8Array): void {
    this.child.stdin.write(bytes);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** QEMU's own complaints go to stderr, as does its warning that a guest without a timer never wakes up by itself. */
  private get failed(): boolean {
    return this.messages.split('\n').some((line) => line !== '' && !/: (warning|info): /.test(line));
  }

  private failure({ name }: OracleGuest, signal: NodeJS.Signals | null, timeout: number): Error {
    const how = this.timedOut
      ? `did not end within ${timeout / 1000} s`
      : signal === null
        ? 'failed'
        : `was ended by ${signal}`;
    const output = new TextDecoder().decode(this.output).slice(-500);
    return new Error(`${name} under QEMU ${how}; QEMU said: ${this.messages || '-'}; the guest: ${output}`);
  }
}
