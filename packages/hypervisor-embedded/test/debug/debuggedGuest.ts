import { EmbeddedHypervisor } from '../../src/embeddedHypervisor.js';
import type { EmbeddedMachine } from '../../src/embeddedMachine.js';
import type { MachineOptions } from '../../src/machineOptions.js';
import type { MachineSnapshot } from '../../src/snapshot/machineSnapshot.js';
import { nextAccess, type MemoryAccess } from '../../src/debug/memoryAccess.js';
import type { Assembler } from '../assembler.js';
import { assembledElf } from '../guestFixtures.js';
import { CODE, HANDLER, handlerOf, PAGES, type RandomGuest } from '../randomGuest.js';
import { PAGE } from '../testBoard.js';

const START = CODE + 2 * PAGE;
const MTIMECMP = 0x0200_4000;

export function machineOf(options: MachineOptions): EmbeddedMachine {
  return new EmbeddedHypervisor().createMachine(options);
}

/** A VM with a random guest that has set its timer and is about to begin. */
export async function randomMachine(
  guest: RandomGuest,
  engine: MachineOptions['engine'],
): Promise<EmbeddedMachine> {
  const machine = machineOf({
    name: 'vm',
    elf: assembledElf((program) => {
      program.word(...guest.words).jump(CODE - program.here);
      while (program.here < START) program.word(0);
      program.li('t0', MTIMECMP).li('t1', guest.timer).store('sw', 't1', 't0').store('sw', 'zero', 't0', 4);
      program.jump(CODE - program.here);
    }),
    memoryBytes: PAGES * PAGE,
    ...(engine === undefined ? {} : { engine }),
    input: Array.from({ length: 40 }, (_, index) => ({
      at: `${170 * (index + 1)}ns` as const,
      data: Uint8Array.of(index),
    })),
  });
  const handler: Assembler = handlerOf(guest);
  await machine.write(HANDLER, new Uint8Array(handler.words().buffer));
  for (const [index, value] of guest.registers.entries())
    await machine.writeRegister(`x${index + 1}`, BigInt(value));
  await machine.writeRegister('privilege', guest.user ? 0n : 3n);
  await machine.writeRegister('mstatus', BigInt(guest.mstatus));
  await machine.writeRegister('mie', BigInt(guest.mie));
  await machine.writeRegister('mtvec', BigInt(guest.mtvec ?? HANDLER));
  await machine.writeRegister('pc', BigInt(START));
  return machine;
}

/** One moment of a run that was executed instruction by instruction, and nothing else. */
export interface Truth {
  readonly cycle: number;
  readonly instructions: number;
  readonly pc: number;
  readonly snapshot: MachineSnapshot;
  readonly output: string;
  /** What the next instruction does with memory; undefined if it raises an exception. */
  readonly access: MemoryAccess | undefined;
  /** Whether the hart waits. */
  readonly isAsleep: boolean;
}

/** The moments of a run, from where `machine` is, at most `steps` further. */
export async function truthOf(machine: EmbeddedMachine, steps: number): Promise<readonly Truth[]> {
  const travel = machine.timeTravel({ intervalCycles: 1e12 });
  const { state, memory } = machine['board'];
  const moments: Truth[] = [];
  for (let step = 0; step <= steps; step++) {
    const isAsleep = state.waiting && (state.mie & state.mip) === 0;
    const planned = isAsleep ? undefined : nextAccess(state, memory);
    const moment = {
      cycle: state.cycles,
      instructions: state.instructions,
      pc: state.pc >>> 0,
      snapshot: machine.snapshot(moments.at(-1)?.snapshot),
      output: outputOf(machine),
      isAsleep,
    };
    const { exceptions } = state;
    const { why } = await travel.step();
    moments.push({ ...moment, access: state.exceptions === exceptions ? planned : undefined });
    if (why === 'end') break;
  }
  return moments;
}

export function outputOf(machine: EmbeddedMachine): string {
  return Buffer.from(machine.committedOutput).toString('latin1');
}
