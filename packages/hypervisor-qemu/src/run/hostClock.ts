import type { Clock, Nanoseconds } from '@rmk/core';
import { checkDelay, checkInterval, TimerQueue, type Timer } from '@rmk/driver';

const NS_PER_MS = 1e6;
/** The longest delay that a timer of the host can have, 2^31 - 1 ms, with room to spare. */
const LONGEST_SLEEP_MS = 1e9;
const SHORTEST_INTERVAL_NS = NS_PER_MS;

/**
 * The domain time of a real VM: the host's monotonic time without the stretches in which the VM is paused. Timers use
 * the host's, so they fire at their moment or later, never while the VM is paused.
 */
export class HostClock implements Clock {
  private readonly timers = new TimerQueue();
  /** Monotonic time at which domain time was, or would have been, 0. */
  private originNs: bigint;
  private frozenAtNs: Nanoseconds | undefined;
  private sleep: NodeJS.Timeout | undefined;
  private closed = false;

  /** `monotonic`: CLOCK_MONOTONIC, in nanoseconds. Domain time begins at 0, frozen. */
  constructor(private readonly monotonic: () => bigint = () => process.hrtime.bigint()) {
    this.originNs = monotonic();
    this.frozenAtNs = 0;
  }

  now(): Nanoseconds {
    return this.frozenAtNs ?? Number(this.monotonic() - this.originNs);
  }

  /** Domain time at a moment of the present stretch of running; clamped to its beginning and to now. */
  at(monotonicNs: bigint): Nanoseconds {
    return Math.max(0, Math.min(this.now(), Number(monotonicNs - this.originNs)));
  }

  /** The VM is paused. Idempotent, as is {@link unfreeze}. */
  freeze(): void {
    this.frozenAtNs ??= this.now();
    this.arm();
  }

  unfreeze(): void {
    if (this.frozenAtNs === undefined || this.closed) return;
    this.originNs = this.monotonic() - BigInt(this.frozenAtNs);
    this.frozenAtNs = undefined;
    this.arm();
  }

  /** From now on no timer fires. */
  close(): void {
    this.freeze();
    this.closed = true;
    this.timers.clear();
  }

  after(delayNs: Nanoseconds, run: () => void | Promise<void>): Disposable {
    checkDelay(delayNs);
    return this.add(delayNs, undefined, run);
  }

  /** If the host is late by several intervals, they fire one after the other. */
  every(intervalNs: Nanoseconds, run: () => void | Promise<void>): Disposable {
    checkInterval(intervalNs, SHORTEST_INTERVAL_NS, "the host's timers count milliseconds");
    return this.add(intervalNs, intervalNs, run);
  }

  private add(delayNs: Nanoseconds, everyNs: Nanoseconds | undefined, run: Timer['run']): Disposable {
    const timer = this.timers.add(this.now() + delayNs, everyNs, run);
    this.arm();
    return {
      [Symbol.dispose]: () => {
        if (this.timers.remove(timer)) this.arm();
      },
    };
  }

  /** Sleeps until the next timer is due, or not at all. */
  private arm(): void {
    clearTimeout(this.sleep);
    this.sleep = undefined;
    if (this.timers.length === 0 || this.frozenAtNs !== undefined || this.closed) return;
    const delayMs = Math.max(0, Math.ceil((this.timers.nextNs - this.now()) / NS_PER_MS));
    this.sleep = setTimeout(() => this.fireAfterReading(), Math.min(delayMs, LONGEST_SLEEP_MS));
  }

  /**
   * If the host let RMK wait, what came from the guest meanwhile is still in the sockets: it is read before a timer
   * concludes that nothing came.
   */
  private fireAfterReading(): void {
    const { sleep } = this;
    setImmediate(() => {
      // If a new sleep was set meanwhile, that one fires.
      if (sleep === this.sleep) this.fireDue();
    });
  }

  private fireDue(): void {
    // What is due by now, without timers that become due meanwhile: others need their turn too.
    const dueNs = this.now();
    while (this.frozenAtNs === undefined && this.timers.fireDue(dueNs));
    this.arm();
  }
}
