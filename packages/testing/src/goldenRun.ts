import { END, goldenRun as goldenStates, type GuestState } from '@rmk/campaign';
import { RmkError, type Nanoseconds } from '@rmk/core';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { machineOf, type RigGuest } from './rigGuest.js';

/**
 * Runs a guest without RMK and without faults to `untilNs` of guest time (default: to its end), and resolves to its
 * state there. A guest that was protected, hit and rolled back is compared with it.
 */
export async function goldenRun(guest: RigGuest, untilNs: Nanoseconds = END): Promise<GuestState> {
  const states = await goldenStates(new EmbeddedHypervisor(), machineOf(guest), [untilNs]);
  const state = states.get(untilNs);
  if (state === undefined)
    throw new RmkError('RMK_ERR_STATE', `the golden run has no state at ${untilNs} ns`);
  return state;
}
