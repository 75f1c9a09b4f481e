import { checkpoint } from '@rmk/checkpoint';
import { CHECKPOINTS, P_VCPU } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { startRig } from '@rmk/testing';

const { domain, hypervisor } = await startRig({
  guest: 'tasks',
  plugins: [pinVcpu(), pinPtable(), checkpoint({ interval: '50ms', retain: 3 }), cowb()],
});
domain.bus.on('EVT_CHECKPOINTED', ({ atNs, checkpoint: { origin }, algorithm }) =>
  console.log(`${atNs / 1e6} ms: ${origin}, ${algorithm}`),
);
await hypervisor.run({ untilNs: 120e6 });

const checkpoints = domain.get(CHECKPOINTS);
const [, older] = checkpoints.retained;
if (older === undefined) throw new Error('there is only one checkpoint yet');
const suspension = await domain.get(P_VCPU).suspend();
const { undoneNs } = await checkpoints.rollback(older);
await domain.get(P_VCPU).resume(suspension);
console.log(`back to ${older.takenAtNs / 1e6} ms: ${undoneNs / 1e6} ms undone`);

await hypervisor.run({ untilNs: 200e6 });
console.log(
  checkpoints.retained.map(({ takenAtNs, origin }) => `${takenAtNs / 1e6} ms ${origin}`).join(', '),
);
