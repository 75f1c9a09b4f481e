import 'reflect-metadata';
import { BUS, CLOCK, definePlugin, P_VMIO, type Bus, type Clock } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { inject, injectable } from 'tsyringe';

const hypervisor = new EmbeddedHypervisor();
const machine = hypervisor.createMachine({ name: 'tasks', elf: readGuest('tasks') });

// #region pipeline
/** Reports an error when the guest has printed nothing for 400 ms. */
@injectable()
class ConsoleWatchdog {
  private lastOutputNs = 0;

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}

  start(): void {
    this.bus.on('EVT_VMOUTPUT', ({ atNs }) => void (this.lastOutputNs = atNs));
    this.bus.on('EVT_ROLLEDBACK', ({ atNs }) => void (this.lastOutputNs = atNs));
    this.clock.every(50e6, () => this.check());
  }

  private check(): void {
    const [atNs, suspectSinceNs] = [this.clock.now(), this.lastOutputNs];
    if (atNs <= suspectSinceNs + 400e6) return;
    const error = { atNs, kind: 'silence', cause: 'no console output', suspectSinceNs };
    this.bus.topic('EVT_ERRORDETECTED').publish(error);
  }
}

const consoleWatchdog = definePlugin({
  name: 'rmk-plugin-console-watchdog',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VMIO], // the pin that publishes EVT_VMOUTPUT
  modules: [ConsoleWatchdog],
  detects: () => [{ kind: 'silence', boundNs: 450e6 }],
});
const plugins = [...microcheckpoint({ hang: false }), consoleWatchdog()];
const domain = await createDomain({ name: 'tasks', machine, plugins });
// #endregion

domain.bus.on('EVT_RECOVERED', ({ record: { trigger, rung, workLostNs = 0 } }) =>
  console.log(
    `${trigger.cause} since ${trigger.suspectSinceNs} ns: ${rung}, ${workLostNs / 1e6} ms of work lost`,
  ),
);
await hypervisor.run({ untilNs: 700e6 });
await machine.writeRegister('mie', 0n); // interrupts off, and
await machine.writeRegister('pc', BigInt(machine.image.symbols.get('park') ?? 0)); // an endless loop: a hang
await hypervisor.run();
console.log(`the guest ended with exit code ${machine.exitCode}`);
