import { defineConfig } from '@rmk/cli';
import { BUS, CLOCK, definePlugin, nanoseconds, P_VCPU, P_VMIO } from '@rmk/core';
import type { Bus, Clock, Nanoseconds, VcpuPin } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { inject, injectable } from 'tsyringe';

// #region detector
/** Reports an error when the guest has printed nothing for 400 ms. */
@injectable()
class ConsoleWatchdog {
  private lastOutputNs: Nanoseconds = 0;

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}

  start(): void {
    this.bus.on('EVT_VMOUTPUT', ({ atNs }) => void (this.lastOutputNs = atNs));
    this.bus.on('EVT_ROLLEDBACK', ({ atNs }) => void (this.lastOutputNs = atNs));
    this.clock.every(nanoseconds('50ms'), () => this.check());
  }

  private check(): void {
    const atNs = this.clock.now();
    if (atNs - this.lastOutputNs <= nanoseconds('400ms')) return;
    this.bus.topic('EVT_ERRORDETECTED').publish({
      atNs,
      kind: 'silence',
      cause: 'no console output for 400 ms',
      suspectSinceNs: this.lastOutputNs,
    });
  }
}

const consoleWatchdog = definePlugin({
  name: 'rmk-plugin-console-watchdog',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VMIO],
  modules: [ConsoleWatchdog],
  detects: () => [{ kind: 'silence', boundNs: nanoseconds('450ms') }],
});
// #endregion

/** Switches interrupts off, so that the guest never switches tasks again. */
@injectable()
class Hang {
  constructor(
    @inject(P_VCPU) private readonly vcpu: VcpuPin,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}

  start(): void {
    this.clock.after(nanoseconds('700ms'), () => this.vcpu.writeRegister('mie', 0n));
  }
}

const hang = definePlugin({
  name: 'rmk-plugin-hang',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VCPU],
  modules: [Hang],
});

// #region config
export default defineConfig({
  guests: [{ name: 'tasks', guest: 'tasks' }],
  plugins: () => [...microcheckpoint({ hang: false }), consoleWatchdog(), hang()],
  until: '1500ms',
});
// #endregion
