import type { Duration, Privilege } from '@rmk/core';

/** What a scripted guest can do, at an instant of its own time. */
export interface FakeGuest {
  /** Writes to memory: a page fault where the page is protected. */
  store(address: number, data: Uint8Array): void;
  putOut(device: string, data: Uint8Array | string): void;
  setRegister(name: string, value: bigint): void;
  /** Gives a sign of progress, reported with the next `scheduled` fact. */
  sign(sign: string): void;
  /** From now on it computes, waits for something that will come, or waits for nothing. */
  becomes(activity: Activity): void;
  /** Takes an exception. */
  signal(cause: string, privilege?: Privilege): void;
  /** Switches itself off. */
  exit(code: number): void;
}

export type Activity = 'busy' | 'idle' | 'halted';

/**
 * What the guest does at a moment of guest time, or from then on at each multiple of `every`. It belongs to the guest:
 * after a rollback it happens again.
 */
export interface ScriptedAct {
  /** Above zero. */
  readonly at: Duration;
  readonly every?: Duration;
  readonly does: (guest: FakeGuest) => void;
}
