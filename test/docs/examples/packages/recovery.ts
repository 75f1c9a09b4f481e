import { checkpoint } from '@rmk/checkpoint';
import { P_VMSIGNAL } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmsignal } from '@rmk/pin-vmsignal';
import { recovery } from '@rmk/recovery';
import { startRig } from '@rmk/testing';

const { domain, hypervisor } = await startRig({
  guest: 'tasks',
  plugins: [
    pinVcpu(),
    pinPtable(),
    pinVmsignal(),
    checkpoint({ retain: 4 }),
    cowb(),
    recovery({ maxRestarts: 1 }),
  ],
});
domain.bus.on('EVT_RECOVERED', ({ record: { trigger, rung, checkpoint: used } }) =>
  console.log(`${trigger.kind}: ${rung}, a checkpoint of ${(used?.takenAtNs ?? 0) / 1e6} ms`),
);
await hypervisor.run({ untilNs: 210_000_000 });
await domain.get(P_VMSIGNAL).raise('load-access-fault');
await hypervisor.run({ untilNs: 300_000_000 });
