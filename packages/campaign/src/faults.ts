import type { Nanoseconds } from '@rmk/core';
import type { FaultTarget } from './faultTarget.js';

// Faults of RISC-V guests, injected from outside. A rollback to a checkpoint taken before the fault undoes it.

const USER = 0n;
const MACHINE = 3n;
const MSTATUS_MIE = 1n << 3n;
const MIE_MTIE = 1n << 7n;
const EXIT_CODE = 7n;
const WFI = Uint8Array.of(0x73, 0x00, 0x50, 0x10);
const STEP = '10us';

/** A wild jump: the next instruction is fetched from address 0, where there is no memory. */
export async function crash({ machine }: FaultTarget): Promise<void> {
  await machine.writeRegister('pc', 0n);
}

/** An endless loop in machine mode with interrupts off. */
export async function hang(target: FaultTarget): Promise<void> {
  await interruptsOff(target);
  await target.machine.writeRegister('pc', target.symbol('park'));
}

/** An endless loop in a user-mode task of the guest `tasks`, with the timer masked: its kernel never runs again. */
export async function taskLoop(target: FaultTarget): Promise<void> {
  await untilUserMode(target);
  await parkTask(target);
}

/** A wait for interrupts with all of them masked. Plants the WFI in the code, so memory is damaged too. */
export async function halt(target: FaultTarget): Promise<void> {
  const park = target.symbol('park');
  await interruptsOff(target);
  await target.machine.write(Number(park), WFI);
  await target.machine.writeRegister('mie', 0n);
  await target.machine.writeRegister('pc', park);
}

/** The guest switches itself off with exit code 7. For guests in machine mode. */
export async function failureExit(target: FaultTarget): Promise<void> {
  await target.machine.writeRegister('a0', EXIT_CODE);
  await target.machine.writeRegister('pc', target.symbol('exit'));
}

/** Not a fault: a task of the guest `tasks` computes for `forNs` without yielding to its kernel, then continues. */
export async function holdProcessor(target: FaultTarget, forNs: Nanoseconds): Promise<void> {
  const { machine } = target;
  const [pc, mie] = [await machine.readRegister('pc'), await machine.readRegister('mie')];
  await parkTask(target);
  await target.advance(`${forNs}ns`);
  await machine.writeRegister('mie', mie);
  await machine.writeRegister('pc', pc);
}

/** Advances to an instruction of a user-mode task. For guests that have such tasks. */
export async function untilUserMode(target: FaultTarget): Promise<void> {
  while (!(await isInUserMode(target))) await target.advance(STEP);
}

export async function isInUserMode({ machine }: Pick<FaultTarget, 'machine'>): Promise<boolean> {
  return (await machine.readRegister('privilege')) === USER;
}

async function parkTask(target: FaultTarget): Promise<void> {
  const { machine } = target;
  await machine.writeRegister('mie', (await machine.readRegister('mie')) & ~MIE_MTIE);
  await machine.writeRegister('pc', target.symbol('task_park'));
}

async function interruptsOff({ machine }: FaultTarget): Promise<void> {
  await machine.writeRegister('privilege', MACHINE);
  await machine.writeRegister('mstatus', (await machine.readRegister('mstatus')) & ~MSTATUS_MIE);
}
