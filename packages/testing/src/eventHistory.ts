import type { EventName, RmkEvent } from '@rmk/core';

/** An event with its name. */
export type Recorded = {
  readonly [E in EventName]: { readonly name: E; readonly event: RmkEvent<E> };
}[EventName];

/** What the matchers look at: a rig, or a recorder on the bus of any domain. */
export interface EventHistory {
  /** All recorded events, in the order of their delivery. */
  readonly recorded: readonly Recorded[];
  /** The recorded events of one name, oldest first. `RMK_ERR_INPUT` where that one is not recorded. */
  events<E extends EventName>(name: E): readonly RmkEvent<E>[];
  /** A line for each recorded event; long runs of ordinary ones are folded. It holds no host time. */
  timeline(): string;
}
