import { CORE_EVENTS, RmkError, type Bus, type EventName, type RmkEvent } from '@rmk/core';
import type { EventHistory, Recorded } from './eventHistory.js';
import { timelineOf } from './timeline.js';

/** What comes many times in a slice, depends on how fast the host is, or is only noise at the start. */
const NOT_RECORDED: ReadonlySet<EventName> = new Set([
  'EVT_PAGEFAULT',
  'EVT_VMSIGNAL',
  'EVT_VMSCHEDULED',
  'EVT_PLUGINSLOW',
  'EVT_PLUGINCHANGED',
] satisfies EventName[]);

/** Default: the events of core, without those that would hide the rest. */
export const RECORDED: readonly EventName[] = CORE_EVENTS.filter((name) => !NOT_RECORDED.has(name));

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
