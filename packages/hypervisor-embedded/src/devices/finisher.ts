import type { HartState } from '../hart/hartState.js';

/** First guest-physical address of the test finisher, and how many bytes answer. */
export const FINISHER_BASE = 0x0010_0000;
export const FINISHER_BYTES = 0x1000;

const FAIL = 0x3333;
const PASS = 0x5555;

/**
 * The device by which a guest switches itself off. It has no state of its own: the hart's state says that it is off.
 */
export class Finisher {
  constructor(private readonly hart: HartState) {}

  /** A store. Low half 0x5555: exit code 0; low half 0x3333: the exit code is the high half. Others do nothing. */
  write(offset: number, value: number): void {
    if (offset !== 0) return;
    const status = value & 0xffff;
    if (status !== PASS && status !== FAIL) return;
    this.hart.exited = true;
    this.hart.exitCode = status === FAIL ? value >>> 16 : 0;
  }
}
