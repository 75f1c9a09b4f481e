import type { Nanoseconds } from '@rmk/core';
import type { Rig } from './rig.js';

// What is done to a guest of RMK from outside. A rollback to a checkpoint that was taken before undoes each.

const USER = 0n;
const MACHINE = 3n;
const MSTATUS_MIE = 1n << 3n;
const MIE_MTIE = 1n << 7n;
const EXIT_CODE = 7n;
const WFI = Uint8Array.of(0x73, 0x00, 0x50, 0x10);
const STEP = '10us';

/** A wild jump: the next instruction is fetched from where nothing is. */
export async function crash({ machine }: Rig): Promise<void> {
  await machine.writeRegister('pc', 0n);
}

/** An endless loop in machine mode, with interrupts off. */
export async function hang(rig: Rig): Promise<void> {
  await interruptsOff(rig);
  await rig.machine.writeRegister('pc', rig.symbol('park'));
}

/** An endless loop in a task of `tasks`, with the timer masked: its kernel never gets the processor back. */
export async function taskLoop(rig: Rig): Promise<void> {
  await untilUserMode(rig);
  await parkTask(rig);
}

/** A wait for an interrupt with all of them masked. The WFI is planted in the code, so memory is damaged too. */
export async function halt(rig: Rig): Promise<void> {
  const park = rig.symbol('park');
  await interruptsOff(rig);
  await rig.machine.write(Number(park), WFI);
  await rig.machine.writeRegister('mie', 0n);
  await rig.machine.writeRegister('pc', park);
}

/** The guest switches itself off with a failure. For guests in machine mode. */
export async function failureExit(rig: Rig): Promise<void> {
  await rig.machine.writeRegister('a0', EXIT_CODE);
  await rig.machine.writeRegister('pc', rig.symbol('exit'));
}

/** No fault: a task of `tasks` computes for so long without letting its kernel have the processor, and goes on. */
export async function holdProcessor(rig: Rig, forNs: Nanoseconds): Promise<void> {
  const { machine } = rig;
  const [pc, mie] = [await machine.readRegister('pc'), await machine.readRegister('mie')];
  await parkTask(rig);
  await rig.advance(`${forNs}ns`);
  await machine.writeRegister('mie', mie);
  await machine.writeRegister('pc', pc);
}

/** Advances to an instruction of a task; only for guests that have tasks in user mode. */
export async function untilUserMode(rig: Rig): Promise<void> {
  while (!(await isInUserMode(rig))) await rig.advance(STEP);
}

export async function isInUserMode({ machine }: Rig): Promise<boolean> {
  return (await machine.readRegister('privilege')) === USER;
}

async function parkTask(rig: Rig): Promise<void> {
  const { machine } = rig;
  await machine.writeRegister('mie', (await machine.readRegister('mie')) & ~MIE_MTIE);
  await machine.writeRegister('pc', rig.symbol('task_park'));
}

async function interruptsOff({ machine }: Rig): Promise<void> {
  await machine.writeRegister('privilege', MACHINE);
  await machine.writeRegister('mstatus', (await machine.readRegister('mstatus')) & ~MSTATUS_MIE);
}
