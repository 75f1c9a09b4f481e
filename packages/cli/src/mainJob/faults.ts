import { P_VCPU, RmkError, type Domain } from '@rmk/core';
import type { EmbeddedMachine } from '@rmk/hypervisor-embedded';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { skipN } from 'pure-rand/utils/skipN';
import type { Scenario } from './scenario.js';

/** One fault, done to the guest from outside, through P_VCPU. */
export interface Fault {
  readonly name: string;
  /** Gives what was done, for people. */
  inject(): Promise<string>;
}

const USER = 0n;
const MACHINE = 3n;
const MSTATUS_MIE = 1n << 3n;
const MIE_MTIE = 1n << 7n;
/** The bits of the program counter that can be set: instructions are 32 bits wide and aligned. */
const LOWEST_PC_BIT = 2;
const UNMIXED_NUMBERS = 64;

/**
 * A wild jump: the next instruction is fetched from an address where nothing is. In a guest with tasks it is one of
 * them that jumps; were the guest idle, the error would sleep in the saved state of its idle loop for many epochs.
 */
export function crash(domain: Domain, scenario: Scenario, hasTasks: boolean): Fault {
  return {
    name: 'crash',
    async inject() {
      if (hasTasks) await waitForUserMode(domain, scenario);
      await domain.get(P_VCPU).writeRegister('pc', 0n);
      return 'a jump to address 0';
    },
  };
}

/** An endless loop in machine mode, with interrupts off. */
export function hang(domain: Domain, machine: EmbeddedMachine): Fault {
  return {
    name: 'hang',
    async inject() {
      const vcpu = domain.get(P_VCPU);
      const mstatus = await vcpu.readRegister('mstatus');
      await vcpu.writeRegister('privilege', MACHINE);
      await vcpu.writeRegister('mstatus', mstatus & ~MSTATUS_MIE);
      await vcpu.writeRegister('pc', symbol(machine, 'park'));
      return 'an endless loop in machine mode, interrupts off';
    },
  };
}

/** An endless loop in a task, with the timer masked: the kernel never gets the processor back. */
export function taskLoop(domain: Domain, machine: EmbeddedMachine, scenario: Scenario): Fault {
  return {
    name: 'task loop',
    async inject() {
      const vcpu = domain.get(P_VCPU);
      await waitForUserMode(domain, scenario);
      const mie = await vcpu.readRegister('mie');
      await vcpu.writeRegister('mie', mie & ~MIE_MTIE);
      await vcpu.writeRegister('pc', symbol(machine, 'task_park'));
      return 'an endless loop in a user-mode task, timer masked';
    },
  };
}

/** Picks single bits of the general registers and the program counter (§8.2), all alike likely. */
export class RegisterFlips {
  private readonly registers: readonly string[] = [
    'pc',
    ...Array.from({ length: 31 }, (_, index) => `x${index + 1}`),
  ];
  private readonly random: RandomGenerator;

  constructor(
    private readonly domain: Domain,
    seed: number,
  ) {
    this.random = xoroshiro128plus(seed);
    // Small seeds leave most of its state zero: its first numbers are nearly the same for all of them.
    skipN(this.random, UNMIXED_NUMBERS);
  }

  next(): Fault {
    const register = this.registers[this.pick(0, this.registers.length - 1)] ?? 'pc';
    const bit = this.pick(register === 'pc' ? LOWEST_PC_BIT : 0, 31);
    return {
      name: 'bit flip',
      inject: async () => {
        const vcpu = this.domain.get(P_VCPU);
        const value = await vcpu.readRegister(register);
        await vcpu.writeRegister(register, value ^ (1n << BigInt(bit)));
        return `bit ${bit} of ${register}`;
      },
    };
  }

  private pick(from: number, to: number): number {
    return uniformInt(this.random, from, to);
  }
}

async function waitForUserMode(domain: Domain, scenario: Scenario): Promise<void> {
  while ((await domain.get(P_VCPU).readRegister('privilege')) !== USER) await scenario.wait('10us');
}

function symbol(machine: EmbeddedMachine, name: string): bigint {
  const address = machine.image.symbols.get(name);
  if (address !== undefined) return BigInt(address);
  throw new RmkError(
    'RMK_ERR_UNKNOWN',
    `${machine.image.source} has no symbol ${name}; rebuild it with its symbol table`,
  );
}
