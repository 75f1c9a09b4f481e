import { basename } from 'node:path';
import { findMachines, type FoundMachine } from '@rmk/hypervisor-qemu';
import Table from 'cli-table3';
import { Command } from 'commander';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';

/** `rmk list`: the VMs in QEMU, which outlive the process that started them. */
export function listCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('list')
    .description('list the VMs in QEMU that RMK started, also those that it left running')
    .option('--folder <path>', 'where their folders lie, if the config sets qemu.folder')
    .option('--json', 'print JSON instead of a table')
    .action(async ({ folder, json }: { readonly folder?: string; readonly json?: true }) => {
      const machines = await findMachines(folder);
      terminal.out(json === true ? `${JSON.stringify(machines, undefined, 2)}\n` : listText(machines));
      done(ExitCode.DONE);
    });
}

function listText(machines: readonly FoundMachine[]): string {
  if (machines.length === 0) return 'No VM runs.\n';
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: ['VM', 'state', 'QEMU', 'memory', 'folder'],
  });
  for (const machine of machines) {
    const { name, pid, memoryBytes, folder } = machine;
    table.push([
      name,
      stateText(machine),
      `process ${pid}`,
      `${memoryBytes / 2 ** 20} MiB`,
      basename(folder),
    ]);
  }
  return `${table.toString()}\n`;
}

function stateText({ isRunning, isDamaged, owner }: FoundMachine): string {
  if (isDamaged) return 'runs, state.json damaged';
  if (!isRunning) return 'ended, folder left';
  return owner === undefined ? 'runs without RMK' : `protected by process ${owner}`;
}
