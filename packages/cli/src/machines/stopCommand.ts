import { endMachine } from '@rmk/hypervisor-qemu';
import { Command } from 'commander';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { namedMachine } from './namedMachine.js';

/** `rmk stop`: ends VMs and removes their files, whoever has them. */
export function stopCommand(terminal: Terminal, done: (code: ExitCode) => void): Command {
  return new Command('stop')
    .description('end VMs in QEMU, like a power failure, and remove their files')
    .argument('<vm...>', 'names of VMs, or of their folders, as `rmk list` shows them')
    .option('--folder <path>', 'where their folders lie, if the config sets qemu.folder')
    .action(async (names: readonly string[], { folder }: { readonly folder?: string }) => {
      // All are found before the first is ended: a wrong name ends nothing.
      const machines = await Promise.all(names.map((name) => namedMachine(name, folder)));
      for (const machine of machines) {
        await endMachine(machine);
        terminal.out(`${machine.name}: ended\n`);
      }
      done(ExitCode.DONE);
    });
}
