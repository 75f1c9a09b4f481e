import { checkpoint } from '@rmk/checkpoint';
import { cowpDecay } from '@rmk/cowp-decay';
import { pinPtable } from '@rmk/pin-ptable';
import { startRig } from '@rmk/testing';

const { domain, hypervisor } = await startRig({
  guest: 'tasks',
  plugins: [pinPtable(), checkpoint({ retain: 4 }), cowpDecay()],
});
domain.bus.on('EVT_CHECKPOINTED', ({ closed }) => {
  if (closed !== undefined) console.log(`${closed.pageFaults} faults, ${closed.preSavedInVain} in vain`);
});
await hypervisor.run({ untilNs: 260_000_000 });
