import type { Nanoseconds } from '@rmk/core';
import { EmbeddedHypervisor, type EmbeddedMachine, type MachineOptions } from '@rmk/hypervisor-embedded';
import type { GuestState } from './incident.js';

/** A guest of the main job. */
export interface GuestSpec {
  readonly machine: MachineOptions;
  /** Whether it runs tasks in user mode, one of which can be made to loop. */
  readonly hasTasks: boolean;
}

/** How a run ended. */
export interface GuestEnd {
  readonly exitCode: number | undefined;
  readonly state: GuestState;
  readonly domainNs: Nanoseconds;
  readonly committedOutput: Uint8Array;
  readonly wireBytes: number;
}

/** An undisturbed run without RMK. */
export interface GoldenRun {
  readonly end: GuestEnd;
  /** Its states at the guest times that were asked for. */
  readonly states: ReadonlyMap<Nanoseconds, GuestState>;
}

export function stateOf(machine: EmbeddedMachine): GuestState {
  return { guestNs: machine.guestNs, instructions: machine.instructions, digest: machine.digest() };
}

export function endOf(machine: EmbeddedMachine): GuestEnd {
  return {
    exitCode: machine.exitCode,
    state: stateOf(machine),
    domainNs: machine.clock.now(),
    committedOutput: machine.committedOutput,
    wireBytes: machine.wireOutput.length,
  };
}

/** Runs a guest alone, with no domain around it, and stops to look at it at each of `guestTimes`. */
export async function goldenRun(guest: GuestSpec, guestTimes: readonly Nanoseconds[]): Promise<GoldenRun> {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine(guest.machine);
  const states = new Map<Nanoseconds, GuestState>();
  for (const untilNs of [...new Set(guestTimes)].toSorted((a, b) => a - b)) {
    await hypervisor.run({ untilNs });
    states.set(untilNs, stateOf(machine));
  }
  await hypervisor.run();
  const end = endOf(machine);
  await hypervisor.close();
  return { end, states };
}
