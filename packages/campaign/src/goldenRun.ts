import type { Nanoseconds } from '@rmk/core';
import { guestStateOf, type ComparableMachine, type GuestState } from './guestState.js';

/** A hypervisor that runs VMs in virtual time, as the embedded one does. */
export interface VirtualTimeHypervisor<Machine> {
  run(options?: { readonly untilNs?: Nanoseconds }): Promise<void>;
  createMachine(options: Machine): ComparableMachine;
  close(): Promise<void>;
}

/** Guest time of a golden run's end. */
export const END = Infinity;

/**
 * Runs a guest without RMK and without faults, and returns its state at each of `guestTimes` ({@link END}: where it
 * switches itself off). A guest that was protected, hit and rolled back is compared with these. Closes the hypervisor.
 */
export async function goldenRun<Machine>(
  hypervisor: VirtualTimeHypervisor<Machine>,
  guest: Machine,
  guestTimes: readonly Nanoseconds[],
): Promise<ReadonlyMap<Nanoseconds, GuestState>> {
  const machine = hypervisor.createMachine(guest);
  const states = new Map<Nanoseconds, GuestState>();
  // Nothing is undone here, so domain time is guest time.
  for (const untilNs of [...new Set(guestTimes)].toSorted((a, b) => a - b)) {
    await hypervisor.run({ untilNs });
    states.set(untilNs, guestStateOf(machine));
  }
  await hypervisor.close();
  return states;
}
