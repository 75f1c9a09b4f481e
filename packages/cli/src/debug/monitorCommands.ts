import { hasCode } from '@rmk/core';
import type { Moment, TimeTravel } from '@rmk/hypervisor-embedded';
import { printable } from '../run/printable.js';

const HELP = `monitor checkpoints         moments that are kept: what lies between is computed again
monitor incident            what is known of the error
monitor output              what the guest has put out so far
monitor goto <instruction>  go there, back or forth; then type: maintenance flush register-cache
`;

const LONGEST_OUTPUT = 1 << 16;

/** Executes what is typed behind `monitor` in gdb. `incident`: what was injected, if that is known. */
export class MonitorCommands {
  constructor(
    private readonly travel: TimeTravel,
    private readonly incident: string | undefined,
  ) {}

  async execute(command: string, signal: AbortSignal): Promise<string> {
    const [name, argument, ...rest] = command.split(/\s+/);
    if (name === 'checkpoints' && argument === undefined) return this.checkpoints();
    if (name === 'incident' && argument === undefined) return this.known();
    if (name === 'output' && argument === undefined) return this.output();
    if (name === 'goto' && argument !== undefined && rest.length === 0) return this.goto(argument, signal);
    return name === 'help' || name === '' ? HELP : `no such command: ${command}\n${HELP}`;
  }

  private checkpoints(): string {
    const { kept, now } = this.travel;
    const lines = kept.map(
      (moment) => `${text(moment)}${moment.isChange && moment !== kept[0] ? '  changed here' : ''}`,
    );
    return `${lines.join('\n')}\nnow at ${text(now).trim()}\n`;
  }

  private output(): string {
    const output = new TextDecoder().decode(this.travel.machine.committedOutput.slice(-LONGEST_OUTPUT));
    return output
      .split(/\r?\n/)
      .map((line) => printable(line))
      .join('\n');
  }

  private known(): string {
    const lines = [
      ...(this.incident === undefined ? [] : [this.incident]),
      ...this.travel.detections.map(
        ({ what, instructions, guestNs }) => `${what}, at ${text({ instructions, guestNs }).trim()}`,
      ),
    ];
    return lines.length === 0 ? 'no error was detected so far\n' : `${lines.join('\n')}\n`;
  }

  private async goto(argument: string, signal: AbortSignal): Promise<string> {
    if (!/^\d{1,15}$/.test(argument)) return `${argument} is no number of an instruction\n`;
    try {
      await this.travel.goto(Number(argument), signal);
    } catch (error) {
      if (hasCode(error)) return `${error.reason}\n`;
      throw error;
    }
    return `at ${text(this.travel.now).trim()}. Type: maintenance flush register-cache\n`;
  }
}

function text({ instructions, guestNs }: Moment): string {
  return `instruction ${String(instructions).padStart(12)}  ${(guestNs / 1e6).toFixed(5).padStart(12)} ms`;
}
