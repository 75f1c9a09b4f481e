import 'reflect-metadata';
import { BUS, CLOCK, definePlugin, nanoseconds, P_VMIO, type Bus, type Clock } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { pinVmio } from '@rmk/pin-vmio';
import { inject, injectable } from 'tsyringe';

@injectable()
class OutputMeter {
  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}

  start(): void {
    let bytes = 0;
    this.bus.on('EVT_VMOUTPUT', ({ data }) => void (bytes += data.length));
    this.clock.every(nanoseconds('500ms'), () => console.log(`${this.clock.now() / 1e6} ms: ${bytes} bytes`));
  }
}

const outputMeter = definePlugin({
  name: 'rmk-plugin-output-meter',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VMIO],
  modules: [OutputMeter],
});

const hypervisor = new EmbeddedHypervisor();
const machine = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks') });
const domain = await createDomain({ name: 'tasks', machine, plugins: [outputMeter(), pinVmio()] });
for (const { name, dependsOn, registered } of domain.plugins) console.log(name, dependsOn, registered);
await hypervisor.run({ untilNs: nanoseconds('1.2s') });
await domain.remove('rmk-plugin-output-meter'); // and the guest runs on
await hypervisor.run({ untilNs: nanoseconds('2s') });
await domain.stop();
