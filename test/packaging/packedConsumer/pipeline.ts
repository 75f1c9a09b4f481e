// A program of someone who has installed RMK: a domain with the paper's deployment and a plugin of his own, a crash
// that is injected and recovered from, and the same guest without RMK to compare with.
import 'reflect-metadata';
import { BUS, CLOCK, definePlugin, nanoseconds, P_VCPU, type Bus, type Clock, type VcpuPin } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor, type EmbeddedMachine } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { inject, injectable } from 'tsyringe';

const CRASH_NS = nanoseconds('275ms');
const UNMAPPED = 0x40n;

@injectable()
class WildJump {
  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(P_VCPU) private readonly vcpu: VcpuPin,
  ) {}

  start(): void {
    this.clock.after(CRASH_NS, () => this.vcpu.writeRegister('pc', UNMAPPED));
    this.bus.on('EVT_ERRORDETECTED', ({ kind, source }) => void detections.push(`${kind} by ${source}`));
  }
}

const detections: string[] = [];
const recoveries: string[] = [];
const wildJump = definePlugin({
  name: 'rmk-plugin-wild-jump',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VCPU],
  modules: [WildJump],
});

const hypervisor = new EmbeddedHypervisor();
const golden = hypervisor.createMachine({ name: 'golden', elf: readGuest('tasks') });
const machine = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks') });
const domain = await createDomain({ name: 'tasks', machine, plugins: [...microcheckpoint(), wildJump()] });
domain.bus.on('EVT_RECOVERED', ({ record }) => void recoveries.push(record.rung));
await hypervisor.run();
await domain.stop();

const outputOf = ({ committedOutput }: EmbeddedMachine): string => new TextDecoder().decode(committedOutput);
const result = {
  detections,
  recoveries,
  exitCode: machine.exitCode,
  outputIsGolden: outputOf(machine) === outputOf(golden),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
