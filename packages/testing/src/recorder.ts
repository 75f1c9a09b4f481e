import { RmkError, type Bus, type EventName, type RmkEvent } from '@rmk/core';
import type { EventHistory, Recorded } from './eventHistory.js';
import { timelineOf } from './timeline.js';

/**
 * What is recorded unless told otherwise: what core declares, save what comes many times in a slice and what depends on
 * how fast the host is.
 */
export const RECORDED: readonly EventName[] = [
  'EVT_LOGLOST',
  'EVT_VMOUTPUT',
  'EVT_VMEXITED',
  'EVT_VMGONE',
  'EVT_VCPUSUSPENDED',
  'EVT_VCPURESUMED',
  'EVT_VMRESTARTED',
  'EVT_CHECKPOINTED',
  'EVT_ROLLEDBACK',
  'EVT_CHECKPOINTLOST',
  'EVT_PROTECTIONLOST',
  'EVT_PROTECTIONRESTORED',
  'EVT_ERRORDETECTED',
  'EVT_RECOVERED',
  'EVT_RECOVERYFAILED',
  'EVT_MODULEFAULT',
  'EVT_MODULEQUARANTINED',
  'EVT_WARNING',
];

/** Keeps the events of a domain: `createDomain({ observe: (bus) => recorder.observe(bus), … })`. */
export class Recorder implements EventHistory {
  readonly recorded: Recorded[] = [];

  constructor(private readonly names: readonly EventName[] = RECORDED) {}

  observe(bus: Bus): void {
    for (const name of this.names) {
      bus.on(name, (event) => void this.recorded.push({ name, event } as Recorded));
    }
  }

  events<E extends EventName>(name: E): readonly RmkEvent<E>[] {
    if (!this.names.includes(name)) {
      throw new RmkError('RMK_ERR_INPUT', `${name} is not recorded: name it in the rig's option \`record\``);
    }
    return this.recorded.filter((entry) => entry.name === name).map(({ event }) => event as RmkEvent<E>);
  }

  timeline(): string {
    return timelineOf(this.recorded);
  }
}
