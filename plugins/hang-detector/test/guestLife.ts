import type { Nanoseconds, ProgressSign, RmkEvents } from '@rmk/core';
import { SLICE_NS } from './scriptedScheduling.js';

/** What a guest does next: it is busy, idle or halted for a while, and may end that with a sign of progress. */
export interface Span {
  readonly does: 'busy' | 'idle' | 'halted';
  readonly forNs: Nanoseconds;
  readonly sign?: string;
}

interface Piece {
  readonly does: Span['does'];
  readonly fromNs: Nanoseconds;
  readonly toNs: Nanoseconds;
}

/** The life of a guest in full detail: what a hypervisor knows, and reports only in slices. */
export class GuestLife {
  private readonly pieces: readonly Piece[];
  readonly signs: readonly ProgressSign[];
  readonly endNs: Nanoseconds;

  constructor(spans: readonly Span[]) {
    const pieces: Piece[] = [];
    const signs: ProgressSign[] = [];
    let nowNs = 0;
    for (const { does, forNs, sign } of spans) {
      pieces.push({ does, fromNs: nowNs, toNs: nowNs + forNs });
      nowNs += forNs;
      if (sign !== undefined) signs.push({ sign, atNs: nowNs });
    }
    this.pieces = pieces;
    this.signs = signs;
    this.endNs = nowNs;
  }

  /** EVT_VMSCHEDULED at the end of each slice, for as long as the life lasts. */
  slices(): readonly RmkEvents['EVT_VMSCHEDULED'][] {
    return Array.from({ length: Math.floor(this.endNs / SLICE_NS) }, (_, index) => {
      const fromNs = index * SLICE_NS;
      const atNs = fromNs + SLICE_NS;
      const last = new Map(
        this.signs.filter((sign) => sign.atNs > fromNs && sign.atNs <= atNs).map((sign) => [sign.sign, sign]),
      );
      return {
        atNs,
        cpuNs: this.spentNs('busy', fromNs, atNs),
        idleNs: this.spentNs('idle', fromNs, atNs),
        haltedNs: this.spentNs('halted', fromNs, atNs),
        state: 'ran',
        progress: [...last.values()],
      };
    });
  }

  lastSignNs(atNs: Nanoseconds): Nanoseconds | undefined {
    return this.signs.findLast((sign) => sign.atNs <= atNs)?.atNs;
  }

  /** The last sign, or the beginning of the last slice with idle time in it, whichever is later. */
  lastHealthyNs(atNs: Nanoseconds): Nanoseconds | undefined {
    const signNs = this.lastSignNs(atNs);
    if (signNs === undefined) return undefined;
    const idleSlice = this.slices().findLast((slice) => slice.atNs <= atNs && slice.idleNs > 0);
    return Math.max(signNs, idleSlice === undefined ? 0 : idleSlice.atNs - SLICE_NS);
  }

  /** Domain time since the last sign in which the guest was not idle; undefined where it never gave one. */
  silenceNs(atNs: Nanoseconds): Nanoseconds | undefined {
    const sinceNs = this.lastSignNs(atNs);
    if (sinceNs === undefined) return undefined;
    return this.spentNs('busy', sinceNs, atNs) + this.spentNs('halted', sinceNs, atNs);
  }

  private spentNs(does: Span['does'], fromNs: Nanoseconds, toNs: Nanoseconds): Nanoseconds {
    return this.pieces
      .filter((piece) => piece.does === does)
      .map((piece) => Math.min(piece.toNs, toNs) - Math.max(piece.fromNs, fromNs))
      .filter((overlap) => overlap > 0)
      .reduce((sum, overlap) => sum + overlap, 0);
  }
}
