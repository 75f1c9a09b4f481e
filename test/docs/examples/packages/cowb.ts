import { checkpoint } from '@rmk/checkpoint';
import { CHECKPOINTS } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { pinPtable } from '@rmk/pin-ptable';
import { startRig } from '@rmk/testing';

const { domain, hypervisor } = await startRig({
  guest: 'tasks',
  plugins: [pinPtable(), checkpoint(), cowb()],
});
let preSaved = 0;
domain.bus.on('EVT_CHECKPOINTED', ({ closed }) => {
  if (closed !== undefined) preSaved += closed.pagesSaved - closed.pageFaults;
});
await hypervisor.run({ untilNs: 501_000_000 });
console.log(`${domain.get(CHECKPOINTS).retained.length} checkpoints retained, ${preSaved} pages pre-saved`);
