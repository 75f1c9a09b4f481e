import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';

const hypervisor = new EmbeddedHypervisor();
const machine = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks') });
const plan = { preSave: 'none' } as const;

await hypervisor.run({ untilNs: 100e6 });
const older = await machine.checkpoint(plan);
await hypervisor.run({ untilNs: 150e6 });
const newer = await machine.checkpoint(plan);
await hypervisor.run({ untilNs: 170e6 });
const reached = machine.digest();

await machine.suspend();
const logs = [newer.log, older.log]; // of every epoch since the target, newest first
const { undoneNs } = await machine.rollback({ context: older.context, logs }, plan);
for (const log of logs) log.release();
await machine.resume();
console.log(`${undoneNs / 1e6} ms undone`);
console.log(`domain time ${machine.clock.now() / 1e6} ms, guest time ${machine.guestNs / 1e6} ms`);

await hypervisor.run({ untilNs: 240e6 });
console.log(`the same state again: ${machine.digest().memory === reached.memory}`);
await hypervisor.close();
