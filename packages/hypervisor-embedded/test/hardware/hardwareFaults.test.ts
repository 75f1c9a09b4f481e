import type { EpochPlan } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EmbeddedHypervisor } from '../../src/embeddedHypervisor.js';
import { Clint } from '../../src/devices/clint.js';
import { MIP_MTIP } from '../../src/hart/privileged.js';
import type { EmbeddedMachine } from '../../src/embeddedMachine.js';
import type { StuckPlace } from '../../src/hardware/stuckBit.js';
import {
  assembledElf,
  CYCLE_NS,
  NOTES,
  outcomeOf,
  sleeps,
  spins,
  stores,
  tasks,
  type Program,
} from '../guestFixtures.js';

const MTIMECMP = 0x4000;
const MTIMECMP_HIGH = 0x4004;
const NONE: EpochPlan = { preSave: 'none' };

interface Run {
  readonly machine: EmbeddedMachine;
  readonly cycles: (count: number) => Promise<void>;
}

function start(build: Program, engine: 'interpreter' | 'translator' = 'translator'): Run {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({
    name: 'vm',
    elf: assembledElf(build),
    memoryBytes: 32 * 4096,
    engine,
  });
  return {
    machine,
    cycles: (count) => hypervisor.run({ untilNs: machine.clock.now() + count * CYCLE_NS }),
  };
}

/** Sets the bit, if it has the other value, by the operations of the port. */
async function forced({ machine }: Run, place: StuckPlace): Promise<void> {
  if (!('register' in place)) {
    const [byte = 0] = await machine.read(place.address, 1);
    if (((byte >>> place.bit) & 1) !== place.value) machine.flipMemoryBit(place.address, place.bit);
    return;
  }
  const value = await machine.readRegister(place.register);
  const mask = 1n << BigInt(place.bit);
  if ((value & mask) !== (place.value === 0 ? 0n : mask))
    await machine.writeRegister(place.register, value ^ mask);
}

const value = fc.constantFrom<0 | 1>(0, 1);
const place: fc.Arbitrary<StuckPlace> = fc.oneof(
  fc.record({
    register: fc.constantFrom('x5', 'x6', 'x7', 'x10', 'pc', 'mepc', 'mscratch'),
    bit: fc.integer({ min: 2, max: 31 }),
    value,
  }),
  fc.record({ address: fc.integer({ min: NOTES, max: NOTES + 40 }), bit: fc.nat(7), value }),
);

describe('a stuck bit', () => {
  it.each(['interpreter', 'translator'] as const)(
    'has its value before each instruction, as if it were set again after each one: %s',
    async (engine) => {
      await fc.assert(
        fc.asyncProperty(place, fc.nat(400), fc.nat(60), async (at, before, during) => {
          const [stuck, reference] = [start(stores, engine), start(stores, 'interpreter')];
          for (const run of [stuck, reference]) await run.cycles(before);
          const bit = stuck.machine.hardware.stick(at);
          await stuck.cycles(during);
          await forced(reference, at);
          for (let cycle = 0; cycle < during; cycle++) {
            await reference.cycles(1);
            await forced(reference, at);
          }
          expect(outcomeOf(stuck.machine)).toEqual(outcomeOf(reference.machine));
          bit[Symbol.dispose]();
          for (const run of [stuck, reference]) await run.cycles(300);
          expect(outcomeOf(stuck.machine)).toEqual(outcomeOf(reference.machine));
        }),
        { numRuns: 40 },
      );
    },
  );

  it('counts how often the bit would have been different', async () => {
    const { machine, cycles } = start((program) => program.label('here').addi('t0', 't0', 1).jump('here'));
    const one = machine.hardware.stick({ register: 't0', bit: 0, value: 1 });
    const two = machine.hardware.stick({ register: 't1', bit: 3, value: 0 });
    expect([one.forced, two.forced]).toEqual([1, 0]);
    await cycles(20);
    // Each second instruction makes the sum even.
    expect([one.forced, two.forced]).toEqual([11, 0]);
  });

  it('survives a rollback and a restart, which a flipped one does not', async () => {
    const { machine } = start(spins);
    const { context, log } = await machine.checkpoint(NONE);
    machine.hardware.stick({ register: 't0', bit: 4, value: 1 });
    machine.hardware.stick({ address: NOTES, bit: 1, value: 1 });
    await machine.writeRegister('t1', 16n);
    await machine.suspend();
    await machine.rollback({ context, logs: [log] }, NONE);
    await machine.resume();
    expect(await machine.readRegister('t1')).toBe(0n);
    for (const again of [() => machine.restart(), async () => {}]) {
      await again();
      machine.hardware.force();
      expect(await machine.readRegister('t0')).toBe(16n);
      expect(await machine.read(NOTES, 1)).toEqual(Uint8Array.of(2));
    }
  });

  it('of a register stays behind with its core; memory is shared by all', async () => {
    const { machine, cycles } = start((program) =>
      program.label('here').li('t0', 0).store('sw', 'zero', 'a0', 0).jump('here'),
    );
    await machine.writeRegister('a0', BigInt(NOTES));
    machine.hardware.stick({ register: 't0', bit: 4, value: 1 });
    machine.hardware.stick({ address: NOTES, bit: 1, value: 1 });
    await cycles(10);
    expect(await machine.readRegister('t0')).toBe(16n);
    machine.hardware.moveTo(1);
    await cycles(10);
    expect(await machine.readRegister('t0')).toBe(0n);
    expect(await machine.read(NOTES, 1)).toEqual(Uint8Array.of(2));
    machine.hardware.moveTo(0);
    await cycles(10);
    expect(await machine.readRegister('t0')).toBe(16n);
    expect(() => machine.hardware.moveTo(-1)).toThrow(/RMK_ERR_INPUT: there is no core -1/);
  });

  it('ends where another snapshot is loaded', async () => {
    const { machine } = start(spins);
    const snapshot = machine.snapshot();
    machine.hardware.moveTo(2);
    machine.hardware.stick({ register: 't0', bit: 4, value: 1 });
    machine.load(snapshot);
    expect([machine.hardware.isSticking, machine.hardware.core]).toEqual([false, 0]);
    expect(machine.equals(snapshot)).toBe(true);
  });

  it.each<[StuckPlace, RegExp]>([
    [{ register: 'pc', bit: 0, value: 1 }, /RMK_ERR_INPUT/],
    [{ register: 'mie', bit: 0, value: 1 }, /RMK_ERR_INPUT: bit 0 of register 'mie' has a fixed value/],
    [{ register: 't0', bit: 32, value: 1 }, /RMK_ERR_INPUT: there is no bit 32/],
    [{ register: 'x99', bit: 1, value: 1 }, /RMK_ERR_UNKNOWN: the hart has no register 'x99'/],
    [{ address: NOTES, bit: 8, value: 1 }, /RMK_ERR_INPUT: there is no bit 8/],
    [{ address: 0, bit: 1, value: 1 }, /RMK_ERR_ADDRESS/],
  ])('is refused where there is no such bit: %j', (at, message) => {
    const { machine } = start(spins);
    const before = outcomeOf(machine);
    expect(() => machine.hardware.stick(at)).toThrow(message);
    expect(outcomeOf(machine)).toEqual(before);
    expect(machine.hardware.isSticking).toBe(false);
  });
});

describe('a timer interrupt', () => {
  it('that is lost never comes, until a rollback to before, and stays lost in what is taken after', async () => {
    const run = start(sleeps(50));
    const { machine, cycles } = run;
    await cycles(700);
    const { context, log } = await machine.checkpoint(NONE);
    const { instructions } = machine;
    expect(machine.hardware.loseTimerInterrupt()).toBe(true);
    expect(machine.hardware.loseTimerInterrupt()).toBe(false);
    const lost = machine.snapshot();
    const second = start(sleeps(50));
    second.machine.load(lost);
    await cycles(5000);
    await second.cycles(5000);
    expect(machine.instructions - instructions).toBeLessThan(20);
    expect(second.machine.instructions).toBe(machine.instructions);
    await machine.suspend();
    await machine.rollback({ context, logs: [log] }, NONE);
    await machine.resume();
    await cycles(5000);
    expect(machine.instructions - instructions).toBeGreaterThan(50);
  });

  it('that the guest programs afterwards comes', () => {
    const clint = new Clint(10);
    expect(clint.loseInterrupt()).toBe(false);
    clint.write(MTIMECMP_HIGH, 0, 0);
    clint.write(MTIMECMP, 5, 0);
    expect([clint.timerDueCycle, clint.loseInterrupt(), clint.timerDueCycle]).toEqual([50, true, Infinity]);
    // What the guest reads is what it has programmed.
    expect(clint.read(MTIMECMP, 60)).toBe(5);
    expect(clint.pending(60)).toBe(0);
    clint.write(MTIMECMP, 7, 60);
    expect([clint.pending(69), clint.pending(70)]).toEqual([0, MIP_MTIP]);
  });

  it('comes twice only where the guest takes one', async () => {
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine(tasks());
    expect(machine.hardware.repeatTimerInterrupt()).toBe(false);
    while (!machine.hardware.repeatTimerInterrupt())
      await hypervisor.run({ untilNs: machine.clock.now() + 1000 });
    expect(await machine.readRegister('mcause')).toBe(0x8000_0007n);
    // Its handler runs with interrupts off.
    expect(machine.hardware.repeatTimerInterrupt()).toBe(false);
  });
});

describe('runTo', () => {
  it('stops before the instruction at an address, and says if it does not come there', async () => {
    const { machine } = start(stores);
    const entry = Number(await machine.readRegister('pc'));
    expect(machine.runTo(entry, 0)).toBe(true);
    expect(machine.runTo(entry + 4, 10)).toBe(true);
    expect([await machine.readRegister('pc'), machine.instructions]).toEqual([BigInt(entry + 4), 1]);
    expect(machine.runTo(4, 100)).toBe(false);
  });

  it('stops where an interrupt leads to the address', async () => {
    const { machine, cycles } = start(sleeps(50));
    const handler = 0x8000_0200;
    expect(machine.runTo(handler, 100)).toBe(true);
    expect(await machine.readRegister('s1')).toBe(0n);
    await cycles(1);
    expect(await machine.readRegister('s1')).toBe(1n);
    expect(machine.runTo(handler, 100)).toBe(true);
    await cycles(1);
    expect(await machine.readRegister('s1')).toBe(2n);
  });
});
