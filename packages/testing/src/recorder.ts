import type { Bus, EventName, RmkEvent } from '@rmk/core';

/** What is recorded unless told otherwise: all that is told by core, save what comes many times in a slice. */
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

interface Recorded {
  readonly name: EventName;
  readonly event: RmkEvent<EventName>;
}

/** Keeps the events of a domain in the order of their delivery. */
export class Recorder {
  private readonly recorded: Recorded[] = [];

  constructor(private readonly names: readonly EventName[]) {}

  observe(bus: Bus): void {
    for (const name of this.names) bus.on(name, (event) => void this.recorded.push({ name, event }));
  }

  /** All events of one name, oldest first. It must be one of those recorded. */
  of<E extends EventName>(name: E): readonly RmkEvent<E>[] {
    if (!this.names.includes(name)) {
      throw new Error(`${name} is not recorded: name it in the rig's option \`record\``);
    }
    return this.recorded.filter((entry) => entry.name === name).map(({ event }) => event as RmkEvent<E>);
  }

  /** A line an event, for messages. */
  timeline(): string {
    return this.recorded
      .map(
        ({ name, event }) => `${(event.atNs / 1e6).toFixed(3).padStart(12)} ms  ${name}  (${event.source})`,
      )
      .join('\n');
  }
}
