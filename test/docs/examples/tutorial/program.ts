import 'reflect-metadata';
import { P_VCPU } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';

const hypervisor = new EmbeddedHypervisor();
const machine = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks') });
const domain = await createDomain({ name: 'tasks', machine, plugins: microcheckpoint() });

domain.bus.on('EVT_ERRORDETECTED', ({ kind, cause, source }) =>
  console.log(`${kind} detected by ${source}: ${cause}`),
);
domain.bus.on('EVT_RECOVERED', ({ record: { pagesRestored, workLostNs = 0 } }) =>
  console.log(`rolled back: ${pagesRestored} pages restored, ${workLostNs / 1e6} ms of work lost`),
);

await hypervisor.run({ untilNs: 275_000_000 });
await domain.get(P_VCPU).writeRegister('pc', 0n); // inject a fault
await hypervisor.run(); // until the guest switches itself off

console.log(`exit code ${machine.exitCode}`);
await domain.stop();
