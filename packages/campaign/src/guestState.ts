import type { Nanoseconds, VirtualMachine } from '@rmk/core';

/** SHA-256 of a guest's memory and of everything else that a checkpoint of it holds, in hexadecimal. */
export interface StateDigest {
  readonly memory: string;
  readonly context: string;
}

/** A VM whose whole state can be compared with that of another run. The embedded driver's machines are. */
export interface ComparableMachine extends VirtualMachine {
  /** Undefined while the guest is on. */
  readonly exitCode: number | undefined;
  readonly guestNs: Nanoseconds;
  readonly instructions: number;
  readonly committedOutput: Uint8Array;
  digest(): StateDigest;
}

/** Everything of a guest that rollbacks must not change: two guests with equal states are indistinguishable. */
export interface GuestState {
  /** Undefined while the guest is on. */
  readonly exitCode: number | undefined;
  readonly guestNs: Nanoseconds;
  readonly instructions: number;
  /** Committed output as text. */
  readonly output: string;
  readonly digest: StateDigest;
}

export function guestStateOf(machine: ComparableMachine): GuestState {
  const { exitCode, guestNs, instructions, committedOutput } = machine;
  const output = new TextDecoder().decode(committedOutput);
  return { exitCode, guestNs, instructions, output, digest: machine.digest() };
}

/** One phrase for each difference of a state from the golden one; empty if they are equal. */
export function stateDifferences(state: GuestState, golden: GuestState): readonly string[] {
  return [
    ...(state.exitCode === golden.exitCode
      ? []
      : [`exit code ${state.exitCode ?? 'none'} instead of ${golden.exitCode ?? 'none'}`]),
    ...(state.guestNs === golden.guestNs
      ? []
      : [`guest time ${state.guestNs} ns instead of ${golden.guestNs} ns`]),
    ...(state.instructions === golden.instructions
      ? []
      : [`${state.instructions} instructions instead of ${golden.instructions}`]),
    ...(state.output === golden.output ? [] : ['different output']),
    ...(state.digest.memory === golden.digest.memory ? [] : ['different memory']),
    ...(state.digest.context === golden.digest.context ? [] : ['different context']),
  ];
}
