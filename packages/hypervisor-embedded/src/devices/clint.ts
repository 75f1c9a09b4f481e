import { Counter } from '../hart/counter.js';
import { MIP_MSIP, MIP_MTIP } from '../hart/privileged.js';
import type { StateReader, StateWriter } from '../memory/stateStream.js';

/** First guest-physical address of the CLINT, and how many bytes answer. */
export const CLINT_BASE = 0x0200_0000;
export const CLINT_BYTES = 0xc000;

/** mtime counts at this frequency, as on QEMU's `virt` board. */
export const TIMEBASE_HZ = 10_000_000;

const MSIP = 0x0000;
const MTIMECMP = 0x4000;
const MTIMECMP_HIGH = 0x4004;
const MTIME = 0xbff8;
const MTIME_HIGH = 0xbffc;
/** Bits of the flags that are saved. */
const SOFTWARE_PENDING = 1;
const TIMER_LOST = 2;

/**
 * The core-local interruptor of hart 0: software interrupt and timer. mtime is a function of the hart's cycles, so the
 * cycle at which the timer interrupt becomes pending is known as soon as mtimecmp is written.
 */
export class Clint {
  static readonly BYTES = 1 + 8 + Counter.BYTES;

  /** Where the last store to mtimecmp was, -1 when there was none. The owner resets it; not part of the saved state. */
  timerRearmCycle = -1;

  private softwarePending = false;
  /** The interrupt that mtimecmp stands for does not come. */
  private isLost = false;
  private compareLow = 0xffff_ffff;
  private compareHigh = 0xffff_ffff;
  private readonly time = new Counter();
  private dueCycle = Infinity;

  /** `cyclesPerTick`: guest cycles to one tick of mtime, the hart's frequency over {@link TIMEBASE_HZ}. */
  constructor(private readonly cyclesPerTick = 10) {
    this.schedule();
  }

  /** First cycle at which the timer interrupt is pending; `Infinity` when it never will be. */
  get timerDueCycle(): number {
    return this.dueCycle;
  }

  /** The bits of mip that are the CLINT's. */
  pending(cycles: number): number {
    return (this.softwarePending ? MIP_MSIP : 0) | (cycles >= this.dueCycle ? MIP_MTIP : 0);
  }

  /** Bits 31:0 of mtime, unsigned. */
  timeLow(cycles: number): number {
    return this.time.low(this.ticks(cycles));
  }

  /** Bits 63:32 of mtime, unsigned. */
  timeHigh(cycles: number): number {
    return this.time.high(this.ticks(cycles));
  }

  /** The interrupt as programmed never comes, unless mtimecmp is written. False if it never would have. */
  loseInterrupt(): boolean {
    if (this.dueCycle === Infinity) return false;
    this.isLost = true;
    this.schedule();
    return true;
  }

  /** A load of an aligned word. */
  read(offset: number, cycles: number): number {
    switch (offset) {
      case MSIP:
        return this.softwarePending ? 1 : 0;
      case MTIMECMP:
        return this.compareLow;
      case MTIMECMP_HIGH:
        return this.compareHigh;
      case MTIME:
        return this.timeLow(cycles);
      case MTIME_HIGH:
        return this.timeHigh(cycles);
      default:
        return 0;
    }
  }

  /** A store of an aligned word. */
  write(offset: number, value: number, cycles: number): void {
    switch (offset) {
      case MSIP:
        this.softwarePending = (value & 1) !== 0;
        return;
      case MTIMECMP:
        this.compareLow = value >>> 0;
        this.rearm(cycles);
        break;
      case MTIMECMP_HIGH:
        this.compareHigh = value >>> 0;
        this.rearm(cycles);
        break;
      case MTIME:
        this.time.write(value, this.timeHigh(cycles), this.ticks(cycles));
        break;
      case MTIME_HIGH:
        this.time.write(this.timeLow(cycles), value, this.ticks(cycles));
        break;
      default:
        return;
    }
    this.schedule();
  }

  save(to: StateWriter): void {
    to.u8((this.softwarePending ? SOFTWARE_PENDING : 0) | (this.isLost ? TIMER_LOST : 0));
    to.u32(this.compareLow);
    to.u32(this.compareHigh);
    this.time.save(to);
  }

  load(from: StateReader): void {
    const flags = from.u8();
    this.softwarePending = (flags & SOFTWARE_PENDING) !== 0;
    this.isLost = (flags & TIMER_LOST) !== 0;
    this.compareLow = from.u32();
    this.compareHigh = from.u32();
    this.time.load(from);
    this.schedule();
  }

  private rearm(cycles: number): void {
    this.timerRearmCycle = cycles;
    this.isLost = false;
  }

  private ticks(cycles: number): number {
    return Math.floor(cycles / this.cyclesPerTick);
  }

  private schedule(): void {
    const tick = this.time.reaches(this.compareLow, this.compareHigh);
    if (this.isLost || tick * this.cyclesPerTick >= Number.MAX_SAFE_INTEGER) {
      this.dueCycle = Infinity;
      return;
    }
    // The product may be rounded when cyclesPerTick is not a whole number; what rules is the division that mtime is
    // read with.
    let cycle = Math.ceil(tick * this.cyclesPerTick);
    while (cycle > 0 && this.ticks(cycle - 1) >= tick) cycle -= 1;
    while (this.ticks(cycle) < tick) cycle += 1;
    this.dueCycle = cycle;
  }
}
