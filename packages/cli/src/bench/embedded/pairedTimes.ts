import type { EpochReport } from '@rmk/core';
import type { MachineSnapshot } from '@rmk/hypervisor-embedded';
import type { Protection, TestedGuest } from './testedGuest.js';
import { collectYoungGarbage } from './youngGarbage.js';

/**
 * The same stretch of guest work on the same VM, four times: without, with, with and without protection. The order
 * cancels a drift of the host.
 */
export interface Pair {
  /** Host time of both runs without protection, and of both with it. */
  readonly plainNs: number;
  readonly protectedNs: number;
  /** The part of {@link protectedNs} that the pauses of checkpoints took. */
  readonly pausesNs: number;
  readonly pageFaults: number;
}

/** A stretch is two epochs, or one that is long. */
const LONG_MS = 100;

/** How long a stretch is, and how long its guest runs before: for a whole epoch, so that COWP knows what to save. */
function stretchOf(intervalMs: number): { readonly leadMs: number; readonly stretchMs: number } {
  const epochs = intervalMs < LONG_MS ? 2 : 1;
  return { leadMs: intervalMs, stretchMs: epochs * intervalMs };
}

/** Guest time from where a stretch's guest begins to where the stretch ends. */
export function stretchEndMs(intervalMs: number): number {
  const { leadMs, stretchMs } = stretchOf(intervalMs);
  return leadMs + stretchMs;
}

/** Measures a pair from `from` on. */
export async function measurePair(
  guest: TestedGuest,
  from: MachineSnapshot,
  protection: Protection,
): Promise<Pair> {
  const first = await plainStretch(guest, from, protection.intervalMs);
  const second = await protectedStretch(guest, from, protection);
  const third = await protectedStretch(guest, from, protection);
  const last = await plainStretch(guest, from, protection.intervalMs);
  return {
    plainNs: first + last,
    protectedNs: second.ns + third.ns,
    pausesNs: second.pausesNs + third.pausesNs,
    pageFaults: second.pageFaults + third.pageFaults,
  };
}

/** Host time of a stretch without protection, in nanoseconds. */
export async function plainStretch(
  guest: TestedGuest,
  from: MachineSnapshot,
  intervalMs: number,
): Promise<number> {
  const { leadMs, stretchMs } = stretchOf(intervalMs);
  guest.machine.load(from);
  await guest.advance(leadMs);
  collectYoungGarbage();
  return guest.advance(stretchMs);
}

async function protectedStretch(guest: TestedGuest, from: MachineSnapshot, protection: Protection) {
  const { leadMs, stretchMs } = stretchOf(protection.intervalMs);
  guest.machine.load(from);
  await using protectedGuest = await guest.protect(protection);
  await guest.advance(leadMs);
  const closed = protectedGuest.epochs.length;
  collectYoungGarbage();
  const ns = await guest.advance(stretchMs);
  const epochs = protectedGuest.epochs.slice(closed);
  return { ns, pausesNs: sum(epochs, 'pauseHostNs'), pageFaults: sum(epochs, 'pageFaults') };
}

function sum(epochs: readonly EpochReport[], of: 'pauseHostNs' | 'pageFaults'): number {
  return epochs.reduce((total, epoch) => total + epoch[of], 0);
}
