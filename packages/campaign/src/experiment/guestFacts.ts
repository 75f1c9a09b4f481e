import { CHECKPOINTS, hasCode, RECOVERY, type Domain } from '@rmk/core';
import type { FaultSpace } from '../fault/injectionTarget.js';
import { flippableBits } from '../fault/flippableBits.js';
import type { GoldenTrack } from '../golden/goldenTrack.js';
import type { History } from './drawnExperiment.js';
import type { GuestUnderTest, Snapshot } from './experimentMachine.js';

/** What faults can be drawn from, for this guest. */
export async function spaceOf<S extends Snapshot>(
  guest: GuestUnderTest<S>,
  golden: GoldenTrack<S>,
): Promise<FaultSpace> {
  const lone = guest.start();
  const { machine } = lone;
  const single = await flippableBits(machine, 1);
  const double = await flippableBits(machine, 2);
  const { registers, signals } = machine;
  await lone.close();
  return {
    registers,
    signals,
    flippableBits: (width) => (width === 1 ? single : double),
    ramBase: guest.ramBase,
    frames: guest.framesOf(golden.end),
    symbol: (name) => guest.symbol(name),
  };
}

/** Starts the protection once, to see what it retains. */
export async function historyOf<S extends Snapshot>(guest: GuestUnderTest<S>): Promise<History> {
  const lone = guest.start();
  const domain = await guest.protect(lone.machine, () => {});
  const { intervalNs, retain } = domain.get(CHECKPOINTS);
  await domain.stop();
  await lone.close();
  return { intervalNs, retain };
}

/** Whether no recovery is under way. */
export function isReady(domain: Domain): boolean {
  try {
    return domain.get(RECOVERY).state === 'ready';
  } catch (error) {
    // A domain without recovery.
    if (hasCode(error, 'RMK_ERR_UNKNOWN')) return true;
    throw error;
  }
}
