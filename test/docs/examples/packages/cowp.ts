import { checkpoint } from '@rmk/checkpoint';
import { cowb } from '@rmk/cowb';
import { cowp } from '@rmk/cowp';
import { pinPtable } from '@rmk/pin-ptable';
import { startRig } from '@rmk/testing';

const { domain, hypervisor } = await startRig({
  guest: 'tasks',
  plugins: [pinPtable(), checkpoint(), cowb()],
});
domain.bus.on('EVT_CHECKPOINTED', ({ atNs, algorithm }) => console.log(`${atNs / 1e6} ms: ${algorithm}`));
await hypervisor.run({ untilNs: 60_000_000 });
await domain.install(cowp({ clusterPages: 8 })); // rules from the next checkpoint on
await domain.remove('@rmk/cowb');
await hypervisor.run({ untilNs: 160_000_000 });
