import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REGISTER_NAMES } from '../../src/hart/registers.js';
import { EmbeddedHypervisor } from '../../src/embeddedHypervisor.js';
import type { EmbeddedMachine } from '../../src/embeddedMachine.js';
import { CSR } from '../assembler.js';
import {
  assembled,
  assembledElf,
  exits,
  halts,
  sleeps,
  spins,
  stores,
  type Program,
} from '../guestFixtures.js';
import { CODE, HANDLER, handlerOf, POINTERS, randomGuest, type RandomGuest } from '../randomGuest.js';

const RAM = 0x8000_0000;
const MTIME = 0x0200_bff8;

/** A machine with a random guest in the state that it begins in. */
async function machineOf(guest: RandomGuest): Promise<EmbeddedMachine> {
  const machine = new EmbeddedHypervisor().createMachine({
    name: 'vm',
    elf: assembledElf((program) => {
      program.word(...guest.words);
      program.jump(CODE - program.here);
      while (program.here < HANDLER) program.word(0);
      program.word(...handlerOf(guest).words());
    }),
    memoryBytes: 4 * 4096,
  });
  const set = (name: string, value: number): Promise<void> =>
    machine.writeRegister(name, BigInt(value >>> 0));
  for (const [index, value] of guest.registers.entries()) await set(`x${index + 1}`, value);
  for (const [name, value] of POINTERS) await set(name, value);
  await set('privilege', guest.user ? 0 : 3);
  await set('mstatus', guest.mstatus);
  await set('mie', guest.mie);
  await set('mtvec', guest.mtvec ?? HANDLER);
  return machine;
}

/** Used by the hart itself, not by instructions that name them. */
const IMPLICIT = ['pc', 'privilege', 'mstatus', 'mie', 'mip'];
const registers = fc.constantFrom(...REGISTER_NAMES.filter((name) => !IMPLICIT.includes(name)));

describe('the first use of a register', () => {
  it('bounds how far a flip of it can reach: nowhere until it is read, nowhere ever once it is overwritten', async () => {
    const seen = { read: 0, overwritten: 0, unused: 0 };
    await fc.assert(
      fc.asyncProperty(randomGuest, registers, fc.nat(31), fc.nat(40), async (guest, register, bit, at) => {
        const flipped = await machineOf(guest);
        const untouched = await machineOf(guest);
        for (const machine of [flipped, untouched])
          while (machine.clock.now() < at * 10 && machine.isRunnable) machine.runQuantum(at * 10);
        const value = await flipped.readRegister(register);
        try {
          await flipped.writeRegister(register, value ^ (1n << BigInt(bit)));
        } catch {
          return;
        }
        if ((await flipped.readRegister(register)) === value) return;
        const use = flipped.firstUseOf(register, 60);
        seen[use]++;
        if (use === 'read') return;
        while (untouched.clock.now() < flipped.clock.now() && untouched.isRunnable)
          untouched.runQuantum(flipped.clock.now());
        const difference = flipped.differenceFrom(untouched.snapshot());
        const expected = use === 'overwritten' ? [] : [register];
        expect(difference).toEqual({ frames: [], registers: expected, other: false });
      }),
      { numRuns: 500 },
    );
    expect(seen.read).toBeGreaterThan(30);
    expect(seen.overwritten).toBeGreaterThan(15);
    expect(seen.unused).toBeGreaterThan(15);
  });

  it.each<[string, string, Program, string]>([
    ['as an operand', 'x5', (p) => p.addi('t1', 't0', 1), 'read'],
    ['as an address', 'x5', (p) => p.li('t1', 0).store('sw', 'zero', 't0'), 'read'],
    ['as both source and destination', 'x5', (p) => p.addi('t0', 't0', 1), 'read'],
    ['as a destination', 'x5', (p) => p.addi('t0', 't1', 1), 'overwritten'],
    ['by nothing', 'x5', (p) => p.label('here').jump('here'), 'unused'],
    ['pc', 'pc', (p) => p.addi('t0', 't1', 1), 'read'],
    ['mscratch written', 'mscratch', (p) => p.csrw(CSR.mscratch, 't0'), 'overwritten'],
    ['mscratch read', 'mscratch', (p) => p.csrr('t0', CSR.mscratch), 'read'],
    ['mepc set by an exception', 'mepc', (p) => p.word(0), 'overwritten'],
    ['mtvec used by an exception', 'mtvec', (p) => p.word(0), 'read'],
  ])('%s', async (_, register, program, expected) => {
    const { machine } = assembled(program);
    expect(machine.firstUseOf(register, 5)).toBe(expected);
  });

  it('refuses a register that there is not', () => {
    expect(() => assembled(spins).machine.firstUseOf('x32', 1)).toThrow(/RMK_ERR_UNKNOWN/);
  });
});

describe('that a guest loops forever is proved', () => {
  it.each<[string, Program]>([
    ['of a jump to itself', spins],
    ['of a halt', halts],
    [
      'of a long loop that reads memory',
      (p) => {
        p.li('s0', RAM).label('again');
        for (let index = 0; index < 200; index++) p.load('lw', 't0', 's0', index * 4);
        p.jump('again');
      },
    ],
    [
      'of a loop that writes what is there already',
      (p) =>
        p
          .li('s0', RAM + 0x8000)
          .label('again')
          .store('sw', 's0', 's0')
          .jump('again'),
    ],
    [
      'of a handler whose own store raises an exception',
      (p) => {
        p.li('t0', RAM + 0x100)
          .csrw(CSR.mtvec, 't0')
          .word(0);
        while (p.here < RAM + 0x100) p.word(0);
        p.addi('t1', 'zero', 16).store('sw', 't1', 't1').mret();
      },
    ],
    ['of an exception whose handler is no code', (p) => p.csrw(CSR.mtvec, 'zero').word(0)],
  ])('%s', async (_, program) => {
    const { machine, hypervisor } = assembled(program);
    await hypervisor.run({ untilNs: 500 });
    expect(machine.loopsForever()).toBe(true);
  });

  it.each<[string, Program]>([
    ['that counts', (p) => p.label('here').addi('t0', 't0', 1).jump('here')],
    ['that writes memory', stores],
    ['that waits for its timer', sleeps(500)],
    ['that ends', exits(0, 10_000)],
    [
      'that looks at the time',
      (p) => p.li('s0', MTIME).label('here').load('lw', 't0', 's0').li('t0', 0).jump('here'),
    ],
    ['that reads the counter', (p) => p.label('here').csrr('t0', 0xc00).li('t0', 0).jump('here')],
    [
      'that an interrupt can end',
      (p) =>
        p
          .li('t0', 0x80)
          .csrw(CSR.mie, 't0')
          .csrImmediate('csrrs', 'zero', CSR.mstatus, 8)
          .label('here')
          .jump('here'),
    ],
  ])('not of a guest %s', async (_, program) => {
    const { machine, hypervisor } = assembled(program);
    await hypervisor.run({ untilNs: 5000 });
    expect(machine.loopsForever()).toBe(false);
  });
});
