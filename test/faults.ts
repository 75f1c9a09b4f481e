import { P_PTABLE, P_VCPU } from '@rmk/core';
import type { Rig } from '@rmk/testing';

const USER = 0n;
const MACHINE = 3n;
const MSTATUS_MIE = 1n << 3n;
const MIE_MTIE = 1n << 7n;
const EXIT_CODE = 7n;
const WFI = Uint8Array.of(0x73, 0x00, 0x50, 0x10);

/** A wild jump: the next instruction is fetched from where nothing is. */
export async function crash({ domain }: Rig): Promise<void> {
  await domain.get(P_VCPU).writeRegister('pc', 0n);
}

/** An endless loop in machine mode, with interrupts off. */
export async function hang(rig: Rig): Promise<void> {
  await interruptsOff(rig);
  await rig.domain.get(P_VCPU).writeRegister('pc', rig.symbol('park'));
}

/** An endless loop in a task of `tasks`, with the timer masked: its kernel never gets the processor back. */
export async function taskLoop(rig: Rig): Promise<void> {
  const vcpu = rig.domain.get(P_VCPU);
  while ((await vcpu.readRegister('privilege')) !== USER) await rig.advance('10us');
  await vcpu.writeRegister('mie', (await vcpu.readRegister('mie')) & ~MIE_MTIE);
  await vcpu.writeRegister('pc', rig.symbol('task_park'));
}

/** A wait for an interrupt with all of them masked. The WFI is planted in the code, so memory is damaged too. */
export async function halt(rig: Rig): Promise<void> {
  const park = rig.symbol('park');
  await rig.domain.get(P_PTABLE).write(Number(park), WFI);
  const vcpu = rig.domain.get(P_VCPU);
  await vcpu.writeRegister('mie', 0n);
  await vcpu.writeRegister('pc', park);
}

/** The guest switches itself off with a failure. For guests in machine mode. */
export async function failureExit(rig: Rig): Promise<void> {
  const vcpu = rig.domain.get(P_VCPU);
  await vcpu.writeRegister('a0', EXIT_CODE);
  await vcpu.writeRegister('pc', rig.symbol('exit'));
}

async function interruptsOff({ domain }: Rig): Promise<void> {
  const vcpu = domain.get(P_VCPU);
  await vcpu.writeRegister('privilege', MACHINE);
  await vcpu.writeRegister('mstatus', (await vcpu.readRegister('mstatus')) & ~MSTATUS_MIE);
}
