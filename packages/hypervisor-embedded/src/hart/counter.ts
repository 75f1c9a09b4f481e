import type { StateReader, StateWriter } from '../memory/stateStream.js';

const TWO_32 = 2 ** 32;

/**
 * A 64-bit counter register that the guest may set: the value last written, plus how far its source has come since.
 * Sources count in doubles, so no BigInt is needed to read one.
 */
export class Counter {
  static readonly BYTES = 16;

  /** What the source stood at when the counter was written. */
  private since = 0;
  private writtenLow = 0;
  private writtenHigh = 0;

  /** Bits 31:0, unsigned. `source`: what the source stands at now; never less than at the last write. */
  low(source: number): number {
    return (this.writtenLow + ((source - this.since) % TWO_32)) % TWO_32;
  }

  /** Bits 63:32, unsigned. */
  high(source: number): number {
    const advanced = source - this.since;
    const carry = this.writtenLow + (advanced % TWO_32) >= TWO_32 ? 1 : 0;
    return (this.writtenHigh + Math.floor(advanced / TWO_32) + carry) % TWO_32;
  }

  /** `source`: what the source stands at where the counter shall read the value written. */
  write(low: number, high: number, source: number): void {
    this.since = source;
    this.writtenLow = low >>> 0;
    this.writtenHigh = high >>> 0;
  }

  /**
   * What the source stands at when the counter, were it not to wrap around, first is at or past a value. Past 2^53 the
   * result is rounded; no source comes so far.
   */
  reaches(low: number, high: number): number {
    const ahead = (high - this.writtenHigh) * TWO_32 + (low - this.writtenLow);
    return ahead > 0 ? this.since + ahead : this.since;
  }

  save(to: StateWriter): void {
    to.f64(this.since);
    to.u32(this.writtenLow);
    to.u32(this.writtenHigh);
  }

  load(from: StateReader): void {
    this.since = from.f64();
    this.writtenLow = from.u32();
    this.writtenHigh = from.u32();
  }
}
