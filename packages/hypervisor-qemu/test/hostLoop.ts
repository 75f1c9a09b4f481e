import { vi } from 'vitest';

interface Sleep {
  readonly atNs: bigint;
  readonly run: () => void;
}

/** Node's event loop with its timers, on a host whose time is moved by hand. */
export class HostLoop {
  nowNs = 7_000_000n;
  private sleeps: Sleep[] = [];
  private immediates: (() => void)[] = [];

  /** Takes the place of the global functions until {@link leave}. */
  enter(): void {
    vi.stubGlobal('setTimeout', (run: () => void, ms: number): Sleep => {
      const sleep = { atNs: this.nowNs + BigInt(ms) * 1_000_000n, run };
      this.sleeps.push(sleep);
      return sleep;
    });
    vi.stubGlobal('clearTimeout', (sleep: Sleep | undefined) => {
      this.sleeps = this.sleeps.filter((other) => other !== sleep);
    });
    vi.stubGlobal('setImmediate', (run: () => void) => void this.immediates.push(run));
  }

  leave(): void {
    vi.unstubAllGlobals();
  }

  get sleeping(): number {
    return this.sleeps.length;
  }

  /** Time goes by without a turn of the loop: the host is busy. */
  busy(ns: number): void {
    this.nowNs += BigInt(ns);
  }

  /** Ends the next sleep that is due; what it set for after reading is left to {@link read}. */
  wake(): boolean {
    const due = this.sleeps
      .filter(({ atNs }) => atNs <= this.nowNs)
      .toSorted((one, other) => Number(one.atNs - other.atNs))[0];
    if (due === undefined) return false;
    this.sleeps = this.sleeps.filter((other) => other !== due);
    due.run();
    return true;
  }

  /** Input has been read: the immediates run. */
  read(): void {
    for (const run of this.immediates.splice(0)) run();
  }

  /** All turns of the loop until nothing is due. */
  run(): void {
    while (this.wake()) this.read();
  }

  /** So much time goes by, with the loop turning as it should. */
  pass(ns: number): void {
    const untilNs = this.nowNs + BigInt(ns);
    this.run();
    for (;;) {
      const next = this.sleeps.map(({ atNs }) => atNs).filter((atNs) => atNs <= untilNs);
      if (next.length === 0) break;
      this.nowNs = next.reduce((one, other) => (one < other ? one : other));
      this.run();
    }
    this.nowNs = untilNs;
  }
}
