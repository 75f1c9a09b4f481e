import { checkpoint } from '@rmk/checkpoint';
import { cowpAdaptive } from '@rmk/cowp-adaptive';
import { pinPtable } from '@rmk/pin-ptable';
import { startRig } from '@rmk/testing';

const { domain, hypervisor } = await startRig({
  guest: 'tasks',
  plugins: [pinPtable(), checkpoint({ retain: 4 }), cowpAdaptive()],
});
domain.bus.on('EVT_CHECKPOINTED', ({ closed }) => {
  if (closed !== undefined) console.log(`${closed.pageFaults} faults, ${closed.preSavedInVain} in vain`);
});
await hypervisor.run({ untilNs: 260_000_000 });
