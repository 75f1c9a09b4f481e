import { RmkError, type Nanoseconds } from '@rmk/core';
import type { GuestUnderTest, Snapshot } from '../experiment/experimentMachine.js';

/** What the guest must do without RMK and without faults, or a campaign measures nothing. */
export interface SteadyState {
  /** Default: 0. */
  readonly exitCode: number;
  /** Text that its output must contain. */
  readonly output?: string;
  /** Guest time by which it must have ended. */
  readonly withinNs: Nanoseconds;
}

/** The golden run of a guest, with snapshots on a grid of guest time. */
export class GoldenTrack<S extends Snapshot> {
  private constructor(
    readonly gridNs: Nanoseconds,
    /** At 0, `gridNs`, 2 · `gridNs` and so on. */
    private readonly grid: readonly S[],
    /** Where the guest switched itself off. */
    readonly end: S,
    readonly output: Uint8Array,
  ) {}

  /** Runs the guest alone. `RMK_ERR_GOLDEN` if it fails the steady-state check. */
  static async record<S extends Snapshot>(
    guest: GuestUnderTest<S>,
    gridNs: Nanoseconds,
    steady: SteadyState,
  ): Promise<GoldenTrack<S>> {
    const lone = guest.start();
    const { machine } = lone;
    try {
      const grid = [machine.snapshot()];
      while (machine.exitCode === undefined) {
        const untilNs = grid.length * gridNs;
        if (untilNs > steady.withinNs) throw failed(guest, `it runs for more than ${ms(steady.withinNs)}`);
        await lone.run({ untilNs });
        if (machine.exitCode !== undefined) break;
        if (machine.guestNs < untilNs) throw failed(guest, `it halts forever at ${ms(machine.guestNs)}`);
        grid.push(machine.snapshot(grid.at(-1)));
      }
      const output = machine.committedOutput;
      checkEnd(guest, machine.exitCode, output, steady);
      return new GoldenTrack(gridNs, grid, machine.snapshot(grid.at(-1)), output);
    } finally {
      await lone.close();
    }
  }

  get endNs(): Nanoseconds {
    return this.end.guestNs;
  }

  /** The newest snapshot at or before a guest time. */
  before(guestNs: Nanoseconds): S {
    const snapshot = this.grid[Math.min(Math.floor(guestNs / this.gridNs), this.grid.length - 1)];
    if (snapshot === undefined) throw new RangeError(`no snapshot at or before ${guestNs} ns`);
    return snapshot;
  }

  /** Guest time of the newest snapshot with at most so many instructions. */
  beforeInstruction(count: number): Nanoseconds {
    return this.grid.findLast(({ instructions }) => instructions <= count)?.guestNs ?? 0;
  }

  /** The snapshot at exactly this guest time, if the grid has one. */
  at(guestNs: Nanoseconds): S | undefined {
    return guestNs % this.gridNs === 0 ? this.grid[guestNs / this.gridNs] : undefined;
  }

  /** The first point of the grid after a guest time, or Infinity after the last one. */
  gridPointAfter(guestNs: Nanoseconds): Nanoseconds {
    const index = Math.floor(guestNs / this.gridNs) + 1;
    return index < this.grid.length ? index * this.gridNs : Infinity;
  }

  /** Whether this is what the golden run had put out by then. */
  isOutput(committed: Uint8Array): boolean {
    return Buffer.compare(committed, this.output.subarray(0, committed.length)) === 0;
  }
}

function checkEnd(
  guest: { readonly name: string },
  exitCode: number | undefined,
  output: Uint8Array,
  steady: SteadyState,
): void {
  if (exitCode !== steady.exitCode)
    throw failed(guest, `it ends with exit code ${exitCode} instead of ${steady.exitCode}`);
  if (steady.output !== undefined && !new TextDecoder().decode(output).includes(steady.output))
    throw failed(guest, `its output does not contain ${JSON.stringify(steady.output)}`);
}

function failed({ name }: { readonly name: string }, what: string): RmkError {
  return new RmkError(
    'RMK_ERR_GOLDEN',
    `the golden run of guest ${JSON.stringify(name)} fails its steady-state check: ${what}. Fix the guest, or steadyState.`,
  );
}

function ms(ns: Nanoseconds): string {
  return `${ns / 1e6} ms of guest time`;
}
