import { defineConfig } from '@rmk/cli';
import { BUS, CLOCK, definePlugin, nanoseconds, P_PTABLE, P_VCPU, VIRTUAL_MACHINE } from '@rmk/core';
import type { Bus, Clock, Nanoseconds, PageTablePin, VcpuPin, VirtualMachine } from '@rmk/core';
import { EMBEDDED_MACHINE } from '@rmk/hypervisor-embedded';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { inject, injectable } from 'tsyringe';

// #region detector
/** Reports an error when the guest's counter `ticks` has not changed for 100 ms. */
@injectable()
class TickWatch {
  private readonly address: number;
  private ticks = 0;
  private lastTickNs: Nanoseconds = 0;

  constructor(
    @inject(BUS) private readonly bus: Bus,
    @inject(CLOCK) private readonly clock: Clock,
    @inject(P_PTABLE) private readonly memory: PageTablePin,
    @inject(VIRTUAL_MACHINE) machine: VirtualMachine,
  ) {
    const address = machine.extension(EMBEDDED_MACHINE)?.image.symbols.get('ticks');
    if (address === undefined) throw new Error('the guest has no symbol ticks');
    this.address = address;
  }

  start(): void {
    this.bus.on('EVT_ROLLEDBACK', ({ atNs }) => void (this.lastTickNs = atNs));
    this.bus.on('EVT_VMRESTARTED', ({ atNs }) => void (this.lastTickNs = atNs));
    this.clock.every(nanoseconds('20ms'), () => this.check());
  }

  private async check(): Promise<void> {
    const atNs = this.clock.now();
    const bytes = await this.memory.read(this.address, 4);
    const ticks = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    if (ticks !== this.ticks) this.lastTickNs = atNs;
    this.ticks = ticks;
    if (atNs - this.lastTickNs < nanoseconds('100ms')) return;
    const error = { atNs, kind: 'no-tick', cause: 'no tick for 100 ms', suspectSinceNs: this.lastTickNs };
    this.bus.topic('EVT_ERRORDETECTED').publish(error);
  }
}

const tickWatch = definePlugin({
  name: 'rmk-plugin-tick-watch',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [VIRTUAL_MACHINE, P_PTABLE],
  modules: [TickWatch],
  detects: () => [{ kind: 'no-tick', boundNs: nanoseconds('120ms') }],
});
// #endregion detector

/** Switches interrupts off, so that the guest never ticks again. */
@injectable()
class Hang {
  constructor(
    @inject(P_VCPU) private readonly vcpu: VcpuPin,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}

  start(): void {
    this.clock.after(nanoseconds('275ms'), () => this.vcpu.writeRegister('mie', 0n));
  }
}

const hang = definePlugin({
  name: 'rmk-plugin-hang',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VCPU],
  modules: [Hang],
});

export default defineConfig({
  guests: [{ name: 'tasks', guest: 'tasks' }],
  plugins: () => [...microcheckpoint({ hang: false }), tickWatch(), hang()],
  until: '500ms',
});
