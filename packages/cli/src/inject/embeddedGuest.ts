import type { GuestUnderTest, Lone } from '@rmk/campaign';
import type { Plugin } from '@rmk/core';
import {
  EmbeddedHypervisor,
  parseProgram,
  RAM_BASE,
  type EmbeddedMachine,
  type MachineOptions,
  type MachineSnapshot,
} from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';

const CYCLE_NS = 10;

/** A guest of a campaign, in VMs of the embedded hypervisor. */
export interface EmbeddedGuestUnderTest extends GuestUnderTest<MachineSnapshot> {
  start(from?: MachineSnapshot): EmbeddedLone;
}

/** A guest of a campaign on the embedded hypervisor. `plugins`: makes a new list for each domain. */
export function embeddedGuest(
  options: MachineOptions,
  plugins: () => readonly Plugin[],
): EmbeddedGuestUnderTest {
  const { symbols } = parseProgram(options.elf, options.elfSource ?? options.name);
  const idle: EmbeddedLone[] = [];
  return {
    name: options.name,
    ramBase: RAM_BASE,
    cycleNs: CYCLE_NS,
    start(from) {
      const lone =
        (from === undefined ? undefined : idle.pop()) ?? aloneOn(new EmbeddedHypervisor(), options);
      if (from !== undefined) lone.machine.load(from);
      return {
        ...lone,
        // A VM costs more than an experiment: its memory is used again.
        close: async () => void idle.push(lone),
      };
    },
    framesOf: (snapshot) => snapshot.frames,
    symbol(name) {
      const address = symbols.get(name);
      return address === undefined ? undefined : BigInt(address);
    },
    symbolAt: (address) => nearestSymbol(symbols, address),
    protect: (machine, observe) => createDomain({ name: options.name, machine, plugins: plugins(), observe }),
  };
}

/** Code and data of a guest are within its RAM: what lies before the first symbol has none. */
function nearestSymbol(symbols: ReadonlyMap<string, number>, address: number): string | undefined {
  let nearest: { readonly name: string; readonly at: number } | undefined;
  for (const [name, at] of symbols) {
    if (at <= address && (nearest === undefined || at > nearest.at)) nearest = { name, at };
  }
  if (nearest === undefined) return undefined;
  return nearest.at === address ? nearest.name : `${nearest.name}+0x${(address - nearest.at).toString(16)}`;
}

function aloneOn(hypervisor: EmbeddedHypervisor, options: MachineOptions): EmbeddedLone {
  const machine = hypervisor.createMachine(options);
  return { machine, run: (how) => hypervisor.run(how), close: () => hypervisor.close() };
}

export type EmbeddedLone = Lone<MachineSnapshot> & { readonly machine: EmbeddedMachine };
