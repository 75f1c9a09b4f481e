import { Command, InvalidArgumentError, Option } from 'commander';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { addEmbeddedCommand } from './embedded/embeddedCommand.js';
import { qemuBenchmark, type QemuBenchmarkOptions } from './qemuBenchmark.js';
import { isExact, qemuJson, qemuText } from './qemuReport.js';
import { setUpQemu } from '../qemuDemo/setUpQemu.js';
import { addVmsCommand } from './vms/vmsCommand.js';

interface QemuOptions extends Omit<QemuBenchmarkOptions, 'guest'> {
  readonly json?: true;
}

/** `rmk bench`: measures RMK on this machine. */
export function benchCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  const bench = new Command('bench')
    .description('measure RMK on this machine')
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err });
  bench
    .command('qemu')
    .description(
      'checkpoints and rollbacks of the demo guest in QEMU: whether they are exact, and what they cost',
    )
    .addOption(
      new Option('--control <kind>', 'what takes the checkpoints')
        .choices(['auto', 'in-process', 'qmp'])
        .default('auto'),
    )
    .option('--checkpoints <number>', 'in a row, each with a digest of all RAM', positive, 1000)
    .option('--rollbacks <number>', 'among them', positive, 100)
    .option('--measured <number>', 'checkpoints measured at each size of memory', positive, 200)
    .option('--json', 'print the result as JSON, and nothing else, on standard output')
    .action(async ({ json, ...options }: QemuOptions) => {
      const progress = (what: string): void => terminal.err(`${what} …\n`);
      const guest = await setUpQemu(progress);
      const result = await qemuBenchmark({ guest, ...options }, progress);
      terminal.out(json === true ? qemuJson(result) : qemuText(result));
      done(isExact(result) ? ExitCode.DONE : ExitCode.FAILED);
    });
  addEmbeddedCommand(bench, terminal, done);
  addVmsCommand(bench, terminal, done);
  return bench;
}

function positive(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value > 0 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('expected a whole number of 1 or more');
}
