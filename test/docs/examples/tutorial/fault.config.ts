import { defineConfig } from '@rmk/cli';
import { CLOCK, definePlugin, nanoseconds, P_VCPU, type Clock, type VcpuPin } from '@rmk/core';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { inject, injectable } from 'tsyringe';

/** Sets the program counter to 0, where no memory is. */
@injectable()
class WildJump {
  constructor(
    @inject(P_VCPU) private readonly vcpu: VcpuPin,
    @inject(CLOCK) private readonly clock: Clock,
  ) {}

  start(): void {
    this.clock.after(nanoseconds('275ms'), () => this.vcpu.writeRegister('pc', 0n));
  }
}

const wildJump = definePlugin({
  name: 'rmk-plugin-wild-jump',
  version: '1.0.0',
  rmk: '^0.2.0',
  requires: [P_VCPU],
  modules: [WildJump],
});

export default defineConfig({
  guests: [{ name: 'tasks', guest: 'tasks' }],
  plugins: () => [...microcheckpoint(), wildJump()],
  until: '500ms',
});
