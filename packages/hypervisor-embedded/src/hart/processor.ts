import type { HartState } from './hartState.js';

/** Guest RAM as a processor sees it. The views begin at guest RAM offset 0, cover exactly guest RAM and never move. */
export interface HartMemory {
  /** Guest-physical address of the first byte of RAM. */
  readonly base: number;
  /** Size of RAM; a multiple of the page size, 4096. */
  readonly bytes: number;
  readonly u8: Uint8Array;
  readonly i8: Int8Array;
  readonly u16: Uint16Array;
  readonly i16: Int16Array;
  readonly i32: Int32Array;
  /**
   * One byte a page frame, index `(address - base) >>> 12`. 0: written already in this epoch, a store goes straight
   * through.
   */
  readonly pageState: Uint8Array;
  /**
   * Must be called before a store to a frame whose {@link pageState} is not 0. Captures the prior contents and sets the
   * page's state to 0, unless the page has to be reported again: then it may leave another. Never fails. `cycles` and
   * `pc` of the hart's state are exact (those of the storing instruction). `offset`: where in RAM, if the store stays
   * within an aligned word.
   */
  beforeWrite(frame: number, offset?: number): void;
}

/** Why {@link Processor.run} came back. */
export const Stop = {
  /** The guest cycle that was asked for is reached. */
  LIMIT: 0,
  /** A synchronous exception was taken; see `exceptionCause` and `exceptionPrivilege` of the state. */
  EXCEPTION: 1,
  /** In WFI, and no enabled interrupt is pending. */
  WAITING: 2,
  /** The guest switched itself off; see `exitCode` of the state. */
  EXITED: 3,
} as const;

export type Stop = (typeof Stop)[keyof typeof Stop];

/**
 * Executes the guest's instructions. Its results depend only on the state, the memory and the devices, not on how a run
 * is split into calls of {@link run}.
 */
export interface Processor {
  readonly state: HartState;
  /**
   * Executes until `state.cycles` is at least `untilCycle`, or until there is something to report. An interrupt is
   * taken before the very instruction at which it becomes deliverable, and is not reported. An interrupt that becomes
   * deliverable at `untilCycle` is left to the next call.
   */
  run(untilCycle: number): Stop;
}
