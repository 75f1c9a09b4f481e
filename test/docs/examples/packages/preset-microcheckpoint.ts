import { CHECKPOINTS } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';

const hypervisor = new EmbeddedHypervisor();
const machine = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks') });
const domain = await createDomain({
  name: 'tasks',
  machine,
  plugins: microcheckpoint({ interval: '100ms', hang: { threshold: '300ms' } }),
});
await hypervisor.run({ untilNs: 1_000_000_000 });
const { retain, retained } = domain.get(CHECKPOINTS);
console.log(`${retained.length} of ${retain} checkpoints, the newest of ${retained[0]?.takenAtNs} ns`);
await domain.stop();
