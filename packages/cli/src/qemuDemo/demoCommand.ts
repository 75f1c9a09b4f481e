import { Command, InvalidArgumentError, Option } from 'commander';
import { colour } from '../colour.js';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { qemuDemo } from './qemuDemo.js';
import { incidentText, qemuDemoJson, resultText, startedText } from './qemuDemoReport.js';
import { setUpQemu } from './setUpQemu.js';

interface DemoOptions {
  readonly control: 'auto' | 'in-process' | 'qmp';
  readonly rollbacks: number;
  readonly json?: true;
}

const ROLLBACKS = 15;

/** `rmk demo qemu`: an unmodified Linux in an unmodified QEMU fails and is recovered. */
export function demoCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const demo = new Command('demo')
    .description('show RMK at work on a real VM')
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  demo
    .command('qemu')
    .description(
      'protect a Linux guest in QEMU, panic and hang it twice each, and check its health afterwards',
    )
    .addOption(
      new Option('--control <kind>', 'what takes the checkpoints')
        .choices(['auto', 'in-process', 'qmp'])
        .default('auto'),
    )
    .option('--rollbacks <number>', 'rollbacks measured under each workload', wholeNumber, ROLLBACKS)
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .action(async ({ control, rollbacks, json }: DemoOptions) => {
      const say = json === true ? terminal.err : terminal.out;
      const phase = (what: string): void => say(`${colour.dim(`${what} …`)}\n`);
      const guest = await setUpQemu(phase);
      const result = await qemuDemo(
        { guest, control, rollbacks },
        {
          phase,
          started: (linux) => say(startedText(linux)),
          incident: (incident) => say(incidentText(incident)),
        },
      );
      terminal.out(json === true ? qemuDemoJson(result) : `\n${resultText(result)}`);
      done(result.verdict === 'pass' ? ExitCode.DONE : ExitCode.FAILED);
    });
  return demo;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 1000) return value;
  throw new InvalidArgumentError('expected a whole number from 0 to 1000');
}
