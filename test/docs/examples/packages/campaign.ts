import { faults, goldenRun, guestStateOf, Scenario, stateDifferences } from '@rmk/campaign';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';

const guest = { name: 'tasks', elf: readGuest('tasks') };
const hypervisor = new EmbeddedHypervisor();
const machine = hypervisor.createMachine(guest);
const domain = await createDomain({ name: 'tasks', machine, plugins: microcheckpoint() });

const symbol = (name: string): bigint => BigInt(machine.image.symbols.get(name) ?? 0);
const script = Scenario.play(domain, async (scenario) => {
  await scenario.wait('400ms');
  await faults.hang({ machine, symbol, advance: (by) => scenario.wait(by) });
  const { name } = await scenario.next(['EVT_RECOVERED'], 500e6);
  console.log(`${name} at ${scenario.nowNs / 1e6} ms`);
  return guestStateOf(machine);
});
await hypervisor.run({ untilNs: 1000e6 });
const restored = await script;

const golden = await goldenRun(new EmbeddedHypervisor(), guest, [restored.guestNs]);
for (const [guestNs, state] of golden) {
  console.log(`guest time ${guestNs / 1e6} ms, differences: ${stateDifferences(restored, state).length}`);
}
await domain.stop();
