import { P_VCPU } from '@rmk/core';
import { heartbeatDetector } from '@rmk/heartbeat-detector';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { scriptClients, startRig } from '@rmk/testing';

// A server that somebody asks for an answer each 20 ms: its answers are its heartbeat.
const asked = {
  name: 'monitor',
  startAt: '20ms',
  every: '20ms',
  requests: Array(50).fill('get life'),
} as const;
const rig = await startRig({
  guest: 'server',
  machine: { input: scriptClients([asked]).input },
  plugins: [
    ...microcheckpoint({ hang: false }),
    heartbeatDetector({ device: 'uart', silence: '100ms', beat: 'monitor-' }),
  ],
});
rig.domain.bus.on('EVT_ERRORDETECTED', ({ kind, cause, atNs }) =>
  console.log(`${kind} at ${(atNs / 1e6).toFixed(1)} ms: ${cause}`),
);
rig.domain.bus.on('EVT_RECOVERED', ({ record: { rung, checkpoint } }) =>
  console.log(`${rung}: the checkpoint of ${(checkpoint?.takenAtNs ?? 0) / 1e6} ms`),
);

await rig.advance('310ms');
await rig.domain.get(P_VCPU).writeRegister('pc', rig.symbol('park')); // an endless loop
await rig.advance('890ms');
console.log(rig.output.trimEnd().split('\n').at(-1));
