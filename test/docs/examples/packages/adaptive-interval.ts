import { adaptiveInterval } from '@rmk/adaptive-interval';
import { checkpoint } from '@rmk/checkpoint';
import { cowp } from '@rmk/cowp';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVmio } from '@rmk/pin-vmio';
import { startRig } from '@rmk/testing';

const { domain, hypervisor } = await startRig({
  guest: 'tasks',
  plugins: [
    pinPtable(),
    pinVmio(),
    checkpoint({ interval: '100ms' }),
    cowp(),
    adaptiveInterval({ underOutput: '20ms' }),
  ],
});
domain.bus.on('EVT_VMOUTPUT', () => console.log('output'));
domain.bus.on('EVT_CHECKPOINTED', ({ atNs }) => console.log(`checkpoint at ${atNs / 1e6} ms`));
await hypervisor.run({ untilNs: 350_000_000 });
