import { randomInt } from 'node:crypto';
import { RmkError, Sequencer } from '@rmk/core';
import { z } from 'zod';
import { GUEST_JOBS, type GuestJob } from './guestDescription.js';

/** A round of a job that the guest has completed. */
export interface JobRound {
  readonly job: GuestJob;
  /** Counted from 1 for each start of a job. */
  readonly round: number;
  readonly answer: string;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly output: string;
}

/** Faults that the guest's fault module accepts. */
export const GUEST_FAULTS = ['panic', 'oops', 'bug', 'hang', 'spin', 'halt', 'triple-fault'] as const;

export type GuestFault = (typeof GUEST_FAULTS)[number];

interface Running {
  readonly id: number;
  readonly text: string;
  output: string;
  readonly end: (exitCode: number) => void;
}

const WITHIN_MS = 30_000;
const SEND_AGAIN_MS = 3000;
/** Clears the line: a rollback may have left half a command there. */
const KILL_LINE = '\u0015';
/** Of a single line: the output of a damaged guest must not fill the memory. */
const MOST_CHARACTERS = 1 << 20;

const jobs = z.enum(GUEST_JOBS);

/**
 * Runs commands in the shell of the demo guest over its serial line, one at a time. The guest is not trusted: whatever
 * does not look like a response is output.
 */
export class GuestShell {
  private rest = '';
  private running: Running | undefined;
  private readonly commands = new Sequencer();
  /** Random, since another process may have sent commands before: the guest ignores numbers that it knows. */
  private lastId = randomInt(2 ** 32);
  private readonly decoder = new TextDecoder();

  /** `send`: puts bytes on the guest's serial line. */
  constructor(
    private readonly send: (data: Uint8Array) => Promise<void>,
    private readonly onJob: (round: JobRound) => void = () => {},
  ) {}

  /** Passes in the output of the guest's serial line. */
  received(data: Uint8Array): void {
    const lines = (this.rest + this.decoder.decode(data, { stream: true })).split('\n');
    this.rest = (lines.pop() ?? '').slice(-MOST_CHARACTERS);
    for (const line of lines) this.line(line.replace(/\r$/, ''));
  }

  /** Runs a command line of the guest's shell. Throws `RMK_ERR_STATE` if it does not end in time. */
  run(command: string, withinMs: number = WITHIN_MS): Promise<CommandResult> {
    return this.commands.run(() => this.execute(command, withinMs));
  }

  /**
   * Sends the command again: a rollback may have undone its arrival. A guest that has it already does not run it twice.
   */
  private async sendAgain(): Promise<void> {
    if (this.running !== undefined) await this.send(encoded(this.running.text));
  }

  /** Starts a job in the background. */
  async startJob(job: GuestJob, rounds: number): Promise<void> {
    await this.run(`job ${job} ${rounds} &`);
  }

  /** Makes the guest's kernel fail. There is no response: the guest is gone. */
  async fail(fault: GuestFault): Promise<void> {
    await this.send(encoded(`echo ${fault} >/proc/rmk_fault`));
  }

  /** All rounds done since boot, from the guest's memory. */
  async jobsDone(): Promise<readonly JobRound[]> {
    const { output } = await this.run('cat /tmp/jobs 2>/dev/null');
    return output.split('\n').flatMap((line) => jobRound(line) ?? []);
  }

  private async execute(command: string, withinMs: number): Promise<CommandResult> {
    const id = ++this.lastId;
    let timer: NodeJS.Timeout | undefined;
    let again: NodeJS.Timeout | undefined;
    try {
      return await new Promise<CommandResult>((resolve, reject) => {
        const text = `order ${id} ${Buffer.byteLength(command)} ${Buffer.from(command).toString('base64')}`;
        const running: Running = {
          id,
          text,
          output: '',
          end: (exitCode) => resolve({ exitCode, output: running.output }),
        };
        this.running = running;
        const tooLate = (): void =>
          reject(
            new RmkError('RMK_ERR_STATE', `the guest did not end \`${command}\` within ${withinMs / 1000} s`),
          );
        timer = setTimeout(tooLate, withinMs);
        again = setInterval(() => void this.sendAgain().catch(reject), SEND_AGAIN_MS);
        this.send(encoded(text)).catch(reject);
      });
    } finally {
      clearTimeout(timer);
      clearInterval(again);
      this.running = undefined;
    }
  }

  private line(line: string): void {
    const job = /rmk-job (.*)$/.exec(line)?.[1];
    const round = job === undefined ? undefined : jobRound(job);
    if (round !== undefined) {
      this.onJob(round);
      return;
    }
    const { running } = this;
    if (running === undefined) return;
    // Output without a line end precedes it.
    const end = /^(.*)rmk-end (\d+) (\d+)$/.exec(line);
    if (end === null) running.output = `${running.output}${line}\n`.slice(-MOST_CHARACTERS);
    else if (Number(end[2]) === running.id) {
      running.output += end[1] ?? '';
      running.end(Number(end[3]));
    }
  }
}

function encoded(line: string): Uint8Array {
  return new TextEncoder().encode(`${KILL_LINE}${line}\n`);
}

function jobRound(text: string): JobRound | undefined {
  const [, name, round, answer] = /^(\w+) (\d+) (\w+)$/.exec(text) ?? [];
  const job = jobs.safeParse(name);
  if (!job.success || round === undefined || answer === undefined) return undefined;
  return { job: job.data, round: Number(round), answer };
}
