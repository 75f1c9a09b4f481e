import type { Nanoseconds } from '@rmk/core';
import type { Rig } from '@rmk/testing';
import { describeDetector, type ProvokedError } from '@rmk/testing/conformance';
import { heartbeatDetector } from '../src/index.js';
import { beatingGuest, regularly } from './beatingGuest.js';
import { halt, hang, spin } from './faults.js';

const MS = 1e6;
/** The guest `tasks`, which is the busy one, says something at least twice as often. */
const SILENCE = '400ms';

/** Once every 20 ms, for as long as any test lasts. */
const BEATING = beatingGuest(regularly(20, 20, 2000));
const FAULTS: readonly ProvokedError[] = [
  { what: 'a service that loops while its timer ticks on', kind: 'hang', inject: spin },
  { what: 'a loop with interrupts off', kind: 'hang', inject: hang },
  { what: 'a halt that nothing ends', kind: 'hang', inject: halt },
];

/** Beats that are so far apart, the first of them after 20 ms. */
const beatsApart = (silenceNs: Nanoseconds) => ({
  guest: beatingGuest(regularly(20, silenceNs / MS, 50)),
  live: (rig: Rig) => rig.advance(`${Math.round(45 * silenceNs)}ns`),
});

describeDetector('heartbeat-detector', {
  plugin: () => heartbeatDetector({ device: 'uart', silence: SILENCE }),
  guest: BEATING,
  finds: FAULTS,
  idle: { guest: BEATING, live: (rig) => rig.advance('30s') },
  silence: { threshold: SILENCE, life: beatsApart },
});
