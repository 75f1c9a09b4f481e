import { P_VCPU } from '@rmk/core';
import { describeDetector } from '@rmk/testing/conformance';
import { pluginName } from '../src/index.js';

// What every detector must do: keep its bound, also after a rollback and a restart, and report no healthy guest.
describeDetector('rmk-plugin-plugin-name', {
  plugin: () => pluginName(),
  finds: [
    {
      what: 'a panic of the kernel',
      kind: 'panic',
      inject: async ({ domain }) => {
        const vcpu = domain.get(P_VCPU);
        await vcpu.writeRegister('privilege', 3n);
        await vcpu.writeRegister('pc', 0n);
      },
    },
  ],
});
