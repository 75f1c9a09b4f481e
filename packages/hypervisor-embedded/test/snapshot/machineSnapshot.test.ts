import type { EpochPlan } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EmbeddedHypervisor } from '../../src/embeddedHypervisor.js';
import type { EmbeddedMachine } from '../../src/embeddedMachine.js';
import type { MachineOptions } from '../../src/machineOptions.js';
import type { MachineSnapshot } from '../../src/snapshot/machineSnapshot.js';
import {
  assembledElf,
  compressor,
  CYCLE_NS,
  echoes,
  exits,
  locks,
  NOTES,
  outcomeOf,
  sleeps,
  stores,
  tasks,
  type Program,
} from '../guestFixtures.js';

const NONE: EpochPlan = { preSave: 'none' };
const text = new TextEncoder();

const small = (build: Program): MachineOptions => ({
  name: 'vm',
  elf: assembledElf(build),
  memoryBytes: 32 * 4096,
});

interface Run {
  readonly machine: EmbeddedMachine;
  readonly toCycle: (cycle: number) => Promise<void>;
}

function start(options: MachineOptions, from?: MachineSnapshot): Run {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine(options);
  if (from !== undefined) machine.load(from);
  return {
    machine,
    toCycle: (cycle) => hypervisor.run({ untilNs: machine.clock.now() + cycle * CYCLE_NS - machine.guestNs }),
  };
}

const guests: readonly (readonly [string, MachineOptions, number])[] = [
  ['stores', small(stores), 20_000],
  ['locks', small(locks), 5000],
  ['sleeps, mostly in a WFI', small(sleeps(50)), 20_000],
  ['exits', small(exits(3, 1000)), 2000],
  ['tasks', tasks(), 2_000_000],
  ['compressor', compressor(3000), 1_000_000],
];

describe('a run that is resumed from a snapshot', () => {
  it.each(guests)('ends as the uninterrupted one: %s', async (_, guest, cycles) => {
    const at = fc.nat(cycles);
    await fc.assert(
      fc.asyncProperty(at, at, async (first, then) => {
        const uninterrupted = start(guest);
        await uninterrupted.toCycle(first);
        const snapshot = uninterrupted.machine.snapshot();
        const resumed = start(guest, snapshot);
        expect(outcomeOf(resumed.machine)).toEqual(outcomeOf(uninterrupted.machine));
        expect(resumed.machine.equals(snapshot)).toBe(true);
        await uninterrupted.toCycle(first + then);
        await resumed.toCycle(first + then);
        expect(outcomeOf(resumed.machine)).toEqual(outcomeOf(uninterrupted.machine));
        expect(resumed.machine.guestNs).toBe(uninterrupted.machine.guestNs);
        expect(resumed.machine.wireOutput).toEqual(uninterrupted.machine.wireOutput);
      }),
      { numRuns: cycles > 100_000 ? 5 : 12 },
    );
  });

  it('receives the input that was foreseen, and what had come from outside and was not read yet', async () => {
    const guest = { ...small(echoes), input: [{ at: '30us' as const, data: text.encode('later') }] };
    await fc.assert(
      fc.asyncProperty(fc.nat(6000), async (first) => {
        const uninterrupted = start(guest);
        await uninterrupted.toCycle(first);
        await uninterrupted.machine.input('uart', text.encode('now'));
        await uninterrupted.toCycle(first + 20);
        const resumed = start(guest, uninterrupted.machine.snapshot());
        for (const run of [uninterrupted, resumed]) await run.toCycle(first + 9000);
        expect(outcomeOf(resumed.machine)).toEqual(outcomeOf(uninterrupted.machine));
        expect(outcomeOf(resumed.machine).output).toContain('now');
      }),
      { numRuns: 30 },
    );
  });

  it('ends as a run that was rolled back before', async () => {
    const run = start(small(stores));
    await run.toCycle(1000);
    const { context, log } = await run.machine.checkpoint(NONE);
    await run.toCycle(3000);
    await run.machine.suspend();
    await run.machine.rollback({ context, logs: [log] }, NONE);
    await run.machine.resume();
    const resumed = start(small(stores), run.machine.snapshot());
    for (const each of [run, resumed]) await each.toCycle(5000);
    expect(outcomeOf(resumed.machine)).toEqual(outcomeOf(run.machine));
  });

  it('can be checkpointed, rolled back and restarted', async () => {
    const golden = start(tasks());
    await golden.toCycle(700_000);
    const snapshot = golden.machine.snapshot();
    const { machine, toCycle } = start(tasks(), snapshot);
    const { context, log } = await machine.checkpoint({ preSave: 'updated' });
    await toCycle(900_000);
    await machine.suspend();
    await machine.rollback({ context, logs: [log] }, NONE);
    await machine.resume();
    expect(machine.equals(snapshot)).toBe(true);
    await machine.restart();
    await toCycle(700_000);
    expect(machine.equals(snapshot)).toBe(true);
  });
});

describe('a snapshot', () => {
  it('puts a VM at domain time 0, whatever the guest time', async () => {
    const run = start(small(sleeps(50)));
    await run.toCycle(1234);
    const { machine } = start(small(sleeps(50)), run.machine.snapshot());
    expect(machine.clock.now()).toBe(0);
    expect(machine.guestNs).toBe(1234 * CYCLE_NS);
  });

  it('stays as it was while the guest goes on, and shares what did not change with the next', async () => {
    const run = start(small(stores));
    await run.toCycle(30);
    const first = run.machine.snapshot();
    const atFirst = outcomeOf(start(small(stores), first).machine);
    await run.toCycle(32);
    const second = run.machine.snapshot(first);
    const shared = second.pages.filter((page, frame) => page !== undefined && page === first.pages[frame]);
    expect(shared.length).toBeGreaterThan(0);
    await run.toCycle(10_000);
    expect(outcomeOf(start(small(stores), first).machine)).toEqual(atFirst);
    expect(run.machine.equals(first)).toBe(false);
  });

  it('names what differs', async () => {
    const run = start(small(stores));
    await run.toCycle(500);
    const snapshot = run.machine.snapshot();
    const none = { frames: [], registers: [], other: false };
    expect(run.machine.differenceFrom(snapshot)).toEqual(none);
    const { machine } = start(small(stores), snapshot);
    for (const register of machine.registers.filter((name) => name !== 'mip')) {
      const value = await machine.readRegister(register);
      const bit = register === 'mcounteren' ? 1n : 8n;
      await machine.writeRegister(register, register === 'privilege' ? 3n - value : value ^ bit);
      expect(machine.differenceFrom(snapshot), register).toEqual({ ...none, registers: [register] });
      await machine.writeRegister(register, value);
    }
    await machine.write(NOTES, Uint8Array.of(1));
    expect(machine.differenceFrom(snapshot)).toEqual({ ...none, frames: [8] });
    await run.toCycle(501);
    expect(run.machine.differenceFrom(snapshot).other).toBe(true);
  });

  it('is refused by another guest, and by a VM that is protected', async () => {
    const run = start(small(stores));
    const snapshot = run.machine.snapshot();
    expect(() => start(small(locks), snapshot)).toThrow(/RMK_ERR_INPUT.*same program/);
    expect(() => start({ ...small(stores), memoryBytes: 64 * 4096 }, snapshot)).toThrow(/RMK_ERR_INPUT/);
    const timer = run.machine.clock.after(10, () => undefined);
    expect(() => run.machine.load(snapshot)).toThrow(/RMK_ERR_STATE.*is protected/);
    timer[Symbol.dispose]();
    const { log } = await run.machine.checkpoint(NONE);
    expect(() => run.machine.load(snapshot)).toThrow(/RMK_ERR_STATE/);
    log.release();
    run.machine.load(snapshot);
  });

  it('can be loaded into a VM that has run: nothing is left of what it did', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(3000), fc.nat(3000), fc.nat(3000), async (taken, before, after) => {
        const golden = start(small(stores));
        await golden.toCycle(taken);
        const snapshot = golden.machine.snapshot();
        const used = start(small(stores));
        await used.toCycle(before);
        const { log } = await used.machine.checkpoint(NONE);
        await used.toCycle(before + 500);
        await used.machine.write(NOTES, Uint8Array.of(1));
        await used.machine.suspend();
        log.release();
        used.machine.load(snapshot);
        const fresh = start(small(stores), snapshot);
        const seen = [];
        for (const { machine, toCycle } of [used, fresh]) {
          const faulted: number[][] = [];
          machine.observe('pagefault', ({ frames }) => void faulted.push([...frames]));
          const opened = await machine.checkpoint({ preSave: 'updated' });
          await toCycle(taken + after);
          const next = await machine.checkpoint({ preSave: 'updated' });
          seen.push({ ...outcomeOf(machine), faulted, closed: next.closed?.updated, atNs: opened.atNs });
        }
        expect(seen[0]).toEqual(seen[1]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a snapshot of a guest that rewrites its code', () => {
  /** Adds 1 a round, and 2 from round 2000 on. */
  const rewrites: Program = (program) =>
    program
      .li('a1', 0x0025_0513)
      .li('a4', 2000)
      .auipc('a2', 0)
      .label('loop')
      .addi('a0', 'a0', 1)
      .addi('a3', 'a3', 1)
      .branch('bne', 'a3', 'a4', 'loop')
      .store('sw', 'a1', 'a2', 4)
      .jump('loop');
  const guest = (): MachineOptions => ({ ...small(rewrites), engine: 'translator' });
  const a0At = async (run: Run): Promise<bigint> => run.machine.readRegister('a0');

  const at = fc.nat(12_000);

  it('is continued with its own code, whatever code the VM had translated before', async () => {
    await fc.assert(
      fc.asyncProperty(at, at, at, async (taken, before, after) => {
        const golden = start(guest());
        await golden.toCycle(taken);
        const snapshot = golden.machine.snapshot();
        await golden.toCycle(taken + after);
        const used = start(guest());
        await used.toCycle(before);
        used.machine.load(snapshot);
        await used.toCycle(taken + after);
        expect(await a0At(used)).toBe(await a0At(golden));
        expect(outcomeOf(used.machine)).toEqual(outcomeOf(golden.machine));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a VM whose stores are not checked', () => {
  it('runs as any other, also from a snapshot, and refuses checkpoints', async () => {
    const guest = compressor(3000);
    const checked = start(guest);
    await checked.toCycle(200_000);
    const snapshot = checked.machine.snapshot();
    await checked.toCycle(600_000);
    const unchecked = start({ ...guest, storeCheck: false });
    for (let turn = 0; turn < 2; turn++) {
      unchecked.machine.load(snapshot);
      await unchecked.toCycle(600_000);
      expect(outcomeOf(unchecked.machine)).toEqual(outcomeOf(checked.machine));
    }
    await expect(unchecked.machine.checkpoint(NONE)).rejects.toThrow(
      /RMK_ERR_STATE.*does not see the stores/,
    );
  });
});

describe('a bit of memory flipped beneath the write protection', () => {
  it('is not undone by a rollback, as a flip by a store is', async () => {
    const { machine } = start(small(stores));
    const { context, log } = await machine.checkpoint(NONE);
    await machine.write(NOTES, Uint8Array.of(1));
    machine.flipMemoryBit(NOTES + 4096, 5);
    expect([...(await log.frames())]).toEqual([8]);
    await machine.suspend();
    await machine.rollback({ context, logs: [log] }, NONE);
    expect(await machine.read(NOTES, 1)).toEqual(Uint8Array.of(0));
    expect(await machine.read(NOTES + 4096, 1)).toEqual(Uint8Array.of(32));
    expect(() => machine.flipMemoryBit(NOTES, 8)).toThrow(/RMK_ERR_INPUT/);
    expect(() => machine.flipMemoryBit(0, 0)).toThrow(/RMK_ERR_ADDRESS/);
  });
});
