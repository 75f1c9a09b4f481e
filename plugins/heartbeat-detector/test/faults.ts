import { P_VCPU } from '@rmk/core';
import type { Rig } from '@rmk/testing';

const MSTATUS_MIE = 1n << 3n;

/** An endless loop, with the timer's interrupts going on. */
export async function spin(rig: Rig): Promise<void> {
  const vcpu = rig.domain.get(P_VCPU);
  await vcpu.writeRegister('mstatus', (await vcpu.readRegister('mstatus')) | MSTATUS_MIE);
  await vcpu.writeRegister('pc', rig.symbol('park'));
}

/** An endless loop with interrupts off. */
export async function hang(rig: Rig): Promise<void> {
  await spin(rig);
  await rig.domain.get(P_VCPU).writeRegister('mie', 0n);
}

/** A server that waits does so with all interrupts masked: nothing wakes it any more. */
export async function halt(rig: Rig): Promise<void> {
  await rig.domain.get(P_VCPU).writeRegister('mie', 0n);
}
