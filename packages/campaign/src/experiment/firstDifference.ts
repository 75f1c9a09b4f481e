import { PAGE_BYTES, type Nanoseconds } from '@rmk/core';
import type { DrawnFault, Injected } from '../fault/faultKind.js';
import type { GoldenTrack } from '../golden/goldenTrack.js';
import type { Difference, GuestUnderTest, Lone, Snapshot } from './experimentMachine.js';
import { isOnlyAt, placeOf } from './followGolden.js';

/** A value that differs from the golden run's. */
export interface DifferentValue {
  readonly value: bigint;
  readonly golden: bigint;
}

/** Where a run with a fault first differs from the golden one, in more than the flipped place. */
export interface FirstDifference {
  /** Before the instruction that makes the difference. */
  readonly guestNs: Nanoseconds;
  readonly instructions: number;
  /** Since the injection; 0 where the fault itself is more than a flipped place. */
  readonly afterInstructions: number;
  /** Address of that instruction. */
  readonly pc: DifferentValue;
  readonly registers: readonly ({ readonly name: string } & DifferentValue)[];
  /** The first differing byte of each page. */
  readonly memory: readonly ({ readonly address: number } & DifferentValue)[];
  /** Whether devices, guest time, or the positions of input and output differ. */
  readonly other: boolean;
}

/** Two VMs at the same guest time. */
interface Pair<S extends Snapshot> {
  readonly faulty: Lone<S>;
  readonly golden: Lone<S>;
}

interface SnapshotPair<S extends Snapshot> {
  readonly faulty: S;
  readonly golden: S;
}

/**
 * Runs the guest with the fault and without RMK beside the golden run, to the first point of the grid at which more
 * than the flipped place differs, then bisects the stretch before it down to one instruction. A difference that is gone
 * again at the next point of the grid is not seen. Undefined if nothing more differs up to the end of the golden run.
 */
export async function firstDifference<S extends Snapshot>(
  guest: GuestUnderTest<S>,
  track: GoldenTrack<S>,
  fault: DrawnFault,
  injectAtGuestNs: Nanoseconds,
  inject: (lone: Lone<S>) => Promise<Injected | void>,
): Promise<FirstDifference | undefined> {
  const start = track.before(injectAtGuestNs);
  const pair: Pair<S> = { faulty: guest.start(start), golden: guest.start(start) };
  const place = placeOf(fault, guest.ramBase);
  let injected: Injected | undefined;
  const differs = (): boolean => !isOnlyAt(differenceOf(pair), place);
  try {
    await runTo(pair.faulty, injectAtGuestNs);
    injected = (await inject(pair.faulty)) ?? undefined;
    await runTo(pair.golden, pair.faulty.machine.guestNs);
    const injectedAt = pair.faulty.machine.instructions;
    if (differs()) return await described(pair, snapshotsOf(pair), injectedAt, fault, guest);
    let before = snapshotsOf(pair);
    do {
      if (pair.golden.machine.exitCode !== undefined) return undefined;
      before = snapshotsOf(pair);
      const next = track.gridPointAfter(before.golden.guestNs);
      for (const lone of [pair.faulty, pair.golden]) await runTo(lone, Math.min(next, track.endNs));
    } while (!differs());
    const toStart = async (): Promise<void> => {
      if (injected === undefined) {
        pair.faulty.machine.load(before.faulty);
        return;
      }
      // A fault that lasts is no part of a snapshot: it is injected again.
      injected[Symbol.dispose]();
      pair.faulty.machine.load(start);
      await runTo(pair.faulty, injectAtGuestNs);
      injected = (await inject(pair.faulty)) ?? undefined;
    };
    await bisect(pair, before, guest.cycleNs, toStart, differs);
    return await described(pair, snapshotsOf(pair), injectedAt, fault, guest);
  } finally {
    injected?.[Symbol.dispose]();
    await pair.faulty.close();
    await pair.golden.close();
  }
}

/** From where nothing differs to where something does, one cycle apart. Leaves the pair at the former. */
async function bisect<S extends Snapshot>(
  pair: Pair<S>,
  before: SnapshotPair<S>,
  cycleNs: Nanoseconds,
  toStart: () => Promise<void>,
  differs: () => boolean,
): Promise<void> {
  const untilNs = Math.max(pair.faulty.machine.guestNs, pair.golden.machine.guestNs);
  let low = 0;
  let high = Math.ceil((untilNs - before.golden.guestNs) / cycleNs);
  const goTo = async (cycle: number): Promise<void> => {
    await toStart();
    pair.golden.machine.load(before.golden);
    for (const lone of [pair.faulty, pair.golden]) await runTo(lone, before.golden.guestNs + cycle * cycleNs);
  };
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    await goTo(middle);
    if (differs()) high = middle;
    else low = middle;
  }
  await goTo(low);
}

/** The pair is before the instruction: runs it, and looks at what it made of the state. */
async function described<S extends Snapshot>(
  pair: Pair<S>,
  { faulty, golden }: SnapshotPair<S>,
  injectedAt: number,
  fault: DrawnFault,
  { cycleNs, ramBase }: GuestUnderTest<S>,
): Promise<FirstDifference> {
  const valueOf = async (name: string): Promise<DifferentValue> => ({
    value: await pair.faulty.machine.readRegister(name),
    golden: await pair.golden.machine.readRegister(name),
  });
  const pc = await valueOf('pc');
  if (isOnlyAt(differenceOf(pair), placeOf(fault, ramBase))) {
    for (const lone of [pair.faulty, pair.golden]) await runTo(lone, golden.guestNs + cycleNs);
  }
  const { registers, frames, other } = differenceOf(pair);
  const named = [];
  for (const name of registers) named.push({ name, ...(await valueOf(name)) });
  const memory = [];
  for (const frame of frames) memory.push(await firstByte(pair, ramBase + frame * PAGE_BYTES));
  return {
    guestNs: golden.guestNs,
    instructions: faulty.instructions,
    afterInstructions: faulty.instructions - injectedAt,
    pc,
    registers: named,
    memory,
    other,
  };
}

async function firstByte<S extends Snapshot>(
  { faulty, golden }: Pair<S>,
  page: number,
): Promise<FirstDifference['memory'][number]> {
  const mine = await faulty.machine.read(page, PAGE_BYTES);
  const theirs = await golden.machine.read(page, PAGE_BYTES);
  const at = Math.max(
    0,
    mine.findIndex((byte, index) => byte !== theirs[index]),
  );
  return { address: page + at, value: BigInt(mine[at] ?? 0), golden: BigInt(theirs[at] ?? 0) };
}

function differenceOf<S extends Snapshot>({ faulty, golden }: Pair<S>): Difference {
  return faulty.machine.differenceFrom(golden.machine.snapshot());
}

function snapshotsOf<S extends Snapshot>({ faulty, golden }: Pair<S>): SnapshotPair<S> {
  return { faulty: faulty.machine.snapshot(), golden: golden.machine.snapshot() };
}

async function runTo<S extends Snapshot>(lone: Lone<S>, guestNs: Nanoseconds): Promise<void> {
  const { machine } = lone;
  await lone.run({ untilNs: machine.clock.now() + Math.max(0, guestNs - machine.guestNs) });
}
