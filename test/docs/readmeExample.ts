import 'reflect-metadata';
import { BUS, CLOCK, definePlugin, P_VMIO, type Bus, type Clock } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { inject, injectable } from 'tsyringe';

const hypervisor = new EmbeddedHypervisor();
const machine = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks') });

// README: from here …
@injectable()
class ConsoleWatchdog {
  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}
  start(): void {
    let suspectSinceNs = 0;
    this.bus.on('EVT_VMOUTPUT', ({ atNs }) => void (suspectSinceNs = atNs));
    this.bus.on('EVT_ROLLEDBACK', ({ atNs }) => void (suspectSinceNs = atNs));
    this.clock.every(50e6, () => {
      const error = {
        atNs: this.clock.now(),
        kind: 'silence',
        cause: 'nothing on the console',
        suspectSinceNs,
      };
      if (error.atNs > suspectSinceNs + 400e6) this.bus.topic('EVT_ERRORDETECTED').publish(error);
    });
  }
}
const detects = () => [{ kind: 'silence', boundNs: 450e6 }];
const manifest = { name: 'rmk-plugin-console-watchdog', version: '1.0.0', rmk: '^0.1.0', requires: [P_VMIO] };
const consoleWatchdog = definePlugin({ ...manifest, modules: [ConsoleWatchdog], detects });
const plugins = [...microcheckpoint({ hang: false }), consoleWatchdog()];
const domain = await createDomain({ name: 'tasks', machine, plugins });
// … to here.

domain.bus.on('EVT_RECOVERED', ({ record: { trigger, rung, workLostNs = 0 } }) =>
  console.log(
    `${trigger.cause} since ${trigger.suspectSinceNs} ns: ${rung}, ${workLostNs / 1e6} ms of work lost`,
  ),
);
await hypervisor.run({ untilNs: 700e6 });
await machine.writeRegister('mie', 0n); // no interrupts any more, and
await machine.writeRegister('pc', BigInt(machine.image.symbols.get('park') ?? 0)); // an endless loop: a hang
await hypervisor.run();
console.log(`the guest ended with exit code ${machine.exitCode}`);
