import { durationHint, isDuration, RmkError } from '@rmk/core';
import { Command } from 'commander';
import { qemuProtection } from '../config/qemuGuest.js';
import type { RunPlan } from '../config/runPlan.js';
import type { ExitCode } from '../exitCode.js';
import { observeRun, type RunFlags } from '../run/observeRun.js';
import { QemuRun } from '../run/qemuRun.js';
import type { Terminal } from '../terminal.js';
import { namedMachine } from './namedMachine.js';

interface AttachFlags extends RunFlags {
  readonly folder?: string;
  readonly interval: string;
}

/** `rmk attach`: protects a VM that runs without RMK, and leaves it running. */
export function attachCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('attach')
    .description('protect a VM in QEMU that runs without RMK, by the preset, until Ctrl-C; it runs on then')
    .argument('<vm>', 'name of the VM, or of its folder, as `rmk list` shows them')
    .option('--interval <duration>', 'between checkpoints', '50ms')
    .option('--folder <path>', 'where its folder lies, if its config set qemu.folder')
    .option('--json', 'print only events, each as a line of JSON')
    .option('--verbose', "show each fault of a plugin with the stack of the plugin's own code")
    .action(async (named: string, flags: AttachFlags) => {
      done(await observeRun(await plan(named, flags), terminal, flags));
    });
}

async function plan(named: string, { folder, interval }: AttachFlags): Promise<RunPlan> {
  if (!isDuration(interval)) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `--interval: ${JSON.stringify(interval)} is no interval: ${durationHint(interval)}`,
    );
  }
  const found = await namedMachine(named, folder);
  const hypervisor = new QemuRun(folder === undefined ? {} : { folder });
  return {
    hypervisor,
    domains: {},
    output: 'show',
    guests: [
      {
        name: found.name,
        plugins: qemuProtection({ interval }, found.heartbeat),
        start: (how) => hypervisor.attach(found, how),
        standIn: () => hypervisor.standIn({ name: found.name }),
        warnings: [],
      },
    ],
  };
}
