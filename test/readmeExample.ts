import 'reflect-metadata';
import { BUS, CLOCK, definePlugin, nanoseconds, P_VMIO, type Bus, type Clock } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { inject, injectable } from 'tsyringe';

@injectable()
class ConsoleWatchdog {
  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}

  start(): void {
    let heardAtNs = 0;
    this.bus.on('EVT_VMOUTPUT', ({ atNs }) => void (heardAtNs = atNs));
    this.bus.on('EVT_ROLLEDBACK', ({ atNs }) => void (heardAtNs = atNs));
    this.clock.every(nanoseconds('50ms'), () => {
      const atNs = this.clock.now();
      if (atNs - heardAtNs <= nanoseconds('400ms')) return;
      const silence = { atNs, kind: 'silence', cause: 'nothing on the console', suspectSinceNs: heardAtNs };
      this.bus.topic('EVT_ERRORDETECTED').publish(silence);
    });
  }
}

const consoleWatchdog = definePlugin({
  name: 'rmk-plugin-console-watchdog',
  version: '1.0.0',
  rmk: '^0.1.0',
  requires: [P_VMIO],
  modules: [ConsoleWatchdog],
  detects: () => [{ kind: 'silence', boundNs: nanoseconds('450ms') }],
});

const hypervisor = new EmbeddedHypervisor();
const machine = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks') });
const domain = await createDomain({
  name: 'tasks',
  machine,
  plugins: [...microcheckpoint({ hang: false }), consoleWatchdog()],
});
domain.bus.on('EVT_RECOVERED', ({ record: { trigger, rung, workLostNs = 0 } }) =>
  console.log(
    `${trigger.cause} since ${trigger.suspectSinceNs} ns: ${rung}, ${workLostNs / 1e6} ms of work lost`,
  ),
);
await hypervisor.run({ untilNs: nanoseconds('700ms') });
await machine.writeRegister('mie', 0n); // no interrupts any more, and
await machine.writeRegister('pc', BigInt(machine.image.symbols.get('park') ?? 0)); // an endless loop: a hang
await hypervisor.run();
console.log(`the guest ended with exit code ${machine.exitCode}`);
