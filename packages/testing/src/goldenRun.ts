import type { Nanoseconds } from '@rmk/core';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { guestStateOf, type GuestState } from './guestState.js';
import { machineOf, type RigGuest } from './rigGuest.js';

/**
 * Runs a guest undisturbed and without RMK, to its end or to `untilNs`, and gives its state there: what a guest that
 * was protected, hit and rolled back is compared with. Its guest time is its domain time, since nothing is undone.
 */
export async function goldenRun(guest: RigGuest, untilNs: Nanoseconds = Infinity): Promise<GuestState> {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine(machineOf(guest));
  await hypervisor.run({ untilNs });
  const state = guestStateOf(machine);
  await hypervisor.close();
  return state;
}
