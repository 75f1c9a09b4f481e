import type { Duration, VirtualMachine } from '@rmk/core';

/** A running guest that faults are injected into. The rig of `@rmk/testing` is one. */
export interface FaultTarget {
  readonly machine: Pick<VirtualMachine, 'readRegister' | 'writeRegister' | 'write'>;
  /** Address of a symbol of the guest's ELF. Throws if the ELF has no such symbol. */
  symbol(name: string): bigint;
  /** Runs the guest for this much domain time. */
  advance(by: Duration): Promise<void>;
}
