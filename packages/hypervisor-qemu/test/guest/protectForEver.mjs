// Run as a process of its own, to be killed: protects the VM in the folder that it is given. Takes checkpoints without
// a pause, and with `rollback` goes back after each two of them. Says a line for each thing that it begins.
import { QemuHypervisor } from '@rmk/hypervisor-qemu';

const [, , folder, what] = process.argv;
const plan = { preSave: 'none' };
const machine = await new QemuHypervisor({ control: process.argv[4] }).attachMachine(folder);
process.stdout.write('attached\n');
let retained = [await machine.checkpoint(plan)];
for (;;) {
  process.stdout.write('checkpoint\n');
  retained = [await machine.checkpoint(plan), ...retained];
  if (what === 'rollback') {
    await machine.suspend();
    process.stdout.write('rollback\n');
    const context = retained.at(-1).context;
    const done = await machine.rollback({ context, logs: retained.map(({ log }) => log) }, plan);
    for (const { log, context: spent } of retained) {
      log.release();
      spent.release();
    }
    retained = [done];
    await machine.resume();
  } else if (retained.length > 3) {
    const oldest = retained.pop();
    oldest.log.release();
    oldest.context.release();
  }
}
