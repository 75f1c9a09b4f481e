import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EmbeddedMachine } from '../../src/embeddedMachine.js';
import { History } from '../../src/debug/history.js';
import type { WatchKind } from '../../src/debug/stopPoints.js';
import type { Stopped, TimeTravel } from '../../src/debug/timeTravel.js';
import { compressor, CYCLE_NS, NOTES, sleeps, assembledElf, stores, exits, tasks } from '../guestFixtures.js';
import { randomGuest } from '../randomGuest.js';
import { machineOf, outputOf, randomMachine, truthOf, type Truth } from './debuggedGuest.js';

const STEPS = 400;
/** Few points, close together: what a guest does in millions of instructions. */
const LIMITS = { intervalCycles: 37, mostPoints: 5 };
const engine = fc.constantFrom('interpreter' as const, 'translator' as const);
const watchKind = fc.constantFrom<WatchKind>('write', 'read', 'access');

const small = (build: Parameters<typeof assembledElf>[0]) => ({
  name: 'vm',
  elf: assembledElf(build),
  memoryBytes: 32 * 4096,
});

function cycleOf(machine: EmbeddedMachine): number {
  return machine.guestNs / CYCLE_NS;
}

function expectAt(machine: EmbeddedMachine, truth: Truth): void {
  expect(cycleOf(machine)).toBe(truth.cycle);
  expect(machine.equals(truth.snapshot)).toBe(true);
  expect(outputOf(machine)).toBe(truth.output);
}

/** The moment at which so many instructions were executed first. */
function truthAt(moments: readonly Truth[], instructions: number): Truth | undefined {
  return moments.find((moment) => moment.instructions >= instructions);
}

describe('going to an instruction', () => {
  it('gives the state that the forward run had there, for random programs and instructions', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomGuest,
        engine,
        fc.array(fc.nat(STEPS), { minLength: 1, maxLength: 8 }),
        async (guest, on, instructions) => {
          const moments = await truthOf(await randomMachine(guest, on), STEPS);
          const machine = await randomMachine(guest, on);
          const travel = machine.timeTravel(LIMITS);
          for (const target of instructions) {
            const truth = truthAt(moments, target);
            if (truth === undefined) continue;
            await travel.goto(target);
            expectAt(machine, truth);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('gives what the hypervisor itself comes to', async () => {
    await fc.assert(
      fc.asyncProperty(randomGuest, fc.nat(STEPS), async (guest, at) => {
        const moments = await truthOf(await randomMachine(guest, 'interpreter'), STEPS);
        const truth = moments[at % moments.length];
        if (truth === undefined) return;
        const machine = await randomMachine(guest, 'interpreter');
        while (cycleOf(machine) < truth.cycle && machine.isRunnable)
          machine.runQuantum(truth.cycle * CYCLE_NS);
        // Takes the interrupt that is due, as a debugger's stop does.
        machine.timeTravel();
        expectAt(machine, truth);
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    ['tasks', tasks(), 3_000_000],
    ['compressor', compressor(2000), 1_000_000],
  ] as const)('holds for %s', async (_, options, most) => {
    const machine = machineOf(options);
    const travel = machine.timeTravel({ intervalCycles: 200_000, mostPoints: 6 });
    await travel.goto(most);
    await fc.assert(
      fc.asyncProperty(fc.nat(most), async (instructions) => {
        await travel.goto(instructions);
        const plain = machineOf(options);
        const direct = plain.timeTravel();
        await direct.goto(instructions);
        expect(machine.digest()).toEqual(plain.digest());
        expect(outputOf(machine)).toBe(outputOf(plain));
      }),
      { numRuns: 3 },
    );
  });

  it('refuses one before the history, and stops at the end for one after it', async () => {
    const machine = machineOf(small(exits(3, 100)));
    const travel = machine.timeTravel();
    await expect(travel.goto(-1)).rejects.toThrow('the history begins at 0');
    expect(await travel.goto(1e9)).toEqual({ why: 'end', exitCode: 3 });
    expect(await travel.step()).toEqual({ why: 'end', exitCode: 3 });
  });
});

describe('a step back', () => {
  it('undoes one instruction, exception or wait, down to the beginning', async () => {
    await fc.assert(
      fc.asyncProperty(randomGuest, engine, fc.nat(150), async (guest, on, forth) => {
        const moments = (await truthOf(await randomMachine(guest, on), 150)).slice(0, forth + 1);
        const machine = await randomMachine(guest, on);
        const travel = machine.timeTravel(LIMITS);
        for (const moment of moments.slice(1)) {
          await travel.step();
          expectAt(machine, moment);
        }
        for (const moment of moments.toReversed().slice(1)) {
          expect(await travel.reverseStep()).toEqual({ why: 'step' });
          expectAt(machine, moment);
        }
        expect(await travel.reverseStep()).toEqual({ why: 'begin' });
      }),
      { numRuns: 15 },
    );
  });
});

interface Expected {
  readonly at: Truth;
  readonly stopped: Stopped;
}

interface Point {
  readonly at: number;
  readonly kind: WatchKind | undefined;
}

/** Every place at which a run stops, by comparing each moment with each point. */
function hitsOf(moments: readonly Truth[], travel: TimeTravel, points: readonly Point[]): Expected[][] {
  const places = points.map(({ at, kind }) => {
    const moment = moments[at % moments.length];
    return { kind, pc: moment?.pc ?? 0, access: moment?.access };
  });
  for (const { kind, pc, access } of places) {
    if (kind === undefined) travel.stops.addBreakpoint(pc);
    else if (access !== undefined)
      travel.stops.addWatchpoint({ kind, address: access.address, bytes: access.bytes });
  }
  return moments.map((at) => {
    const hits: Expected[] = [];
    if (!at.isAsleep && places.some(({ kind, pc }) => kind === undefined && pc === at.pc))
      hits.push({ at, stopped: { why: 'breakpoint' } });
    const { access } = at;
    if (access === undefined) return hits;
    for (const { kind, access: watched } of places) {
      if (kind === undefined || watched === undefined) continue;
      const meets =
        access.address < watched.address + watched.bytes && access.address + access.bytes > watched.address;
      const matters = (access.reads && kind !== 'write') || (access.writes && kind !== 'read');
      const { address, bytes } = watched;
      if (meets && matters)
        hits.push({ at, stopped: { why: 'watchpoint', watchpoint: { kind, address, bytes } } });
    }
    return hits;
  });
}

const points = fc.array(fc.record({ at: fc.nat(STEPS), kind: fc.option(watchKind, { nil: undefined }) }), {
  minLength: 1,
  maxLength: 3,
});

describe('running to breakpoints and watchpoints', () => {
  it('finds, back and forth, what comparing every moment of the run finds', async () => {
    let stops = 0;
    await fc.assert(
      fc.asyncProperty(randomGuest, engine, points, fc.nat(STEPS), async (guest, on, chosen, from) => {
        const moments = await truthOf(await randomMachine(guest, on), STEPS);
        const machine = await randomMachine(guest, on);
        const travel = machine.timeTravel(LIMITS);
        const start = moments[from % moments.length];
        const last = moments.at(-1);
        if (start === undefined || last === undefined) return;
        while (cycleOf(machine) < start.cycle) await travel.step();
        const hits = hitsOf(moments, travel, chosen);

        // Back: the last moment before this one that is at a breakpoint, or is about to make a watched access.
        const before = hits.findLast(
          (each, index) => each.length > 0 && (moments[index]?.cycle ?? 0) < start.cycle,
        );
        const back = await travel.reverseContinue();
        const first = moments[0];
        if (before === undefined) {
          expect(back).toEqual({ why: 'begin' });
          if (first !== undefined) expectAt(machine, first);
        } else {
          stops++;
          expect(before.map(({ stopped }) => stopped)).toContainEqual(back);
          const [hit] = before;
          if (hit !== undefined) expectAt(machine, hit.at);
        }

        // Forth: the first moment after this one that is at a breakpoint, or has just made a watched access.
        const now = cycleOf(machine);
        const ahead = hits.flatMap((each, index) =>
          each.flatMap((hit) => {
            const at = hit.stopped.why === 'watchpoint' ? moments[index + 1] : hit.at;
            return at === undefined || at.cycle <= now ? [] : [{ ...hit, at }];
          }),
        );
        const nearest = Math.min(...ahead.map(({ at }) => at.cycle));
        if (nearest === Infinity) return;
        const forth = await travel.continue();
        const possible = ahead.filter(({ at }) => at.cycle === nearest);
        expect(possible.map(({ stopped }) => stopped)).toContainEqual(forth);
        const [hit] = possible;
        if (hit !== undefined) expectAt(machine, hit.at);
      }),
      { numRuns: 60 },
    );
    expect(stops).toBeGreaterThan(5);
  });

  it('sees every store that changes memory', async () => {
    await fc.assert(
      fc.asyncProperty(randomGuest, async (guest) => {
        const moments = await truthOf(await randomMachine(guest, 'interpreter'), 150);
        for (const [index, moment] of moments.slice(1).entries()) {
          const before = moments[index];
          if (before === undefined) continue;
          for (const address of changedBytes(before, moment)) {
            expect(before.access?.writes).toBe(true);
            const { address: first = 0, bytes = 0 } = before.access ?? {};
            expect(address).toBeGreaterThanOrEqual(first);
            expect(address).toBeLessThan(first + bytes);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('stops where the guest is interrupted', async () => {
    const machine = machineOf(small((program) => program.label('here').jump('here')));
    const travel = machine.timeTravel();
    travel.stops.addBreakpoint(NOTES);
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 20);
    expect(await travel.continue(abort.signal)).toEqual({ why: 'interrupted' });
    expect(machine.instructions).toBeGreaterThan(0);
    const at = machine.instructions;
    expect(await travel.reverseContinue(AbortSignal.abort())).toEqual({ why: 'interrupted' });
    expect(machine.instructions).toBe(at);
  });

  it('bounds the number of points', () => {
    const travel = machineOf(small(stores)).timeTravel();
    for (let index = 0; index < 1024; index++) travel.stops.addBreakpoint(index * 4);
    expect(() => travel.stops.addBreakpoint(8000)).toThrow('Remove some first');
  });
});

describe('a change from outside', () => {
  it('belongs to the history: it is undone on the way back, and made again on the way forth', async () => {
    const machine = machineOf(small(stores));
    const travel = machine.timeTravel(LIMITS);
    await travel.goto(500);
    const before = machine.snapshot();
    await travel.change(() => machine.writeRegister('s0', 1_000_000n));
    await travel.goto(900);
    const after = machine.snapshot();
    await travel.goto(499);
    expect(await machine.readRegister('s0')).toBeLessThan(1000n);
    await travel.goto(900);
    expect(machine.equals(after)).toBe(true);
    await travel.goto(501);
    await travel.reverseStep();
    // At the moment of the change itself the guest is as changed.
    expect(machine.differenceFrom(before).registers).toEqual(['x8']);
  });

  it('forgets the future that the guest had', async () => {
    const machine = machineOf(small(stores));
    const travel = machine.timeTravel(LIMITS);
    await travel.goto(500);
    await travel.change(() => machine.writeRegister('s0', 1_000_000n));
    await travel.goto(900);
    await travel.goto(300);
    await travel.change(() => machine.writeRegister('s0', 0n));
    await travel.goto(900);
    expect(await machine.readRegister('s0')).toBeLessThan(1000n);
  });
});

describe('the history', () => {
  it('holds no more points than it may, the first one always', async () => {
    const travel = machineOf(small(sleeps(50))).timeTravel(LIMITS);
    await travel.goto(5000);
    expect(travel.kept.length).toBeLessThanOrEqual(5);
    expect(travel.kept[0]).toEqual({ instructions: 0, guestNs: 0, isChange: true });
  });

  it('holds no more bytes than it may', async () => {
    const travel = machineOf(small(stores)).timeTravel({ intervalCycles: 1000, mostBytes: 40 * 4096 });
    await travel.goto(100_000);
    expect(travel.kept.length).toBeLessThan(6);
    await travel.goto(50_000);
    expect(travel.now.instructions).toBe(50_000);
  });

  it('makes room for a change, too', async () => {
    const machine = machineOf(small(stores));
    const travel = machine.timeTravel(LIMITS);
    while (travel.kept.length < LIMITS.mostPoints) await travel.step();
    await travel.change(() => machine.writeRegister('s0', 0n));
    expect(travel.kept.length).toBeLessThanOrEqual(LIMITS.mostPoints);
    expect(travel.kept.at(-1)).toEqual({ ...travel.now, isChange: true });
  });

  it('keeps every change, and its interval while nothing can be dropped', () => {
    const snapshot = machineOf(small(stores)).snapshot();
    const history = new History(snapshot, 0, { intervalCycles: 10, mostPoints: 2, mostBytes: 1e9 });
    for (const cycle of [10, 20, 30]) history.change(snapshot, cycle);
    expect(history.all.map(({ cycle }) => cycle)).toEqual([0, 10, 20, 30]);
    expect(history.dueCycle).toBe(40);
    history.add(snapshot, 40);
    expect(history.all.map(({ cycle }) => cycle)).toEqual([0, 10, 20, 30]);
    expect(history.dueCycle).toBe(50);
  });

  it('is refused for a VM that is protected', async () => {
    const machine = machineOf(small(stores));
    await machine.checkpoint({ preSave: 'none' });
    expect(() => machine.timeTravel()).toThrow('is protected');
  });

  it('is refused for hardware that has faults, which it leaves as they are', () => {
    const machine = machineOf(small(stores));
    const { hardware } = machine;
    const stuck = hardware.stick({ register: 's0', bit: 3, value: 1 });
    expect(() => machine.timeTravel()).toThrow('has a stuck bit');
    expect(hardware.isSticking).toBe(true);
    stuck[Symbol.dispose]();
    const elsewhere = hardware.stick({ register: 's0', bit: 3, value: 1, core: 1 });
    expect(() => machine.timeTravel()).toThrow('has a stuck bit');
    elsewhere[Symbol.dispose]();
    hardware.moveTo(1);
    expect(() => machine.timeTravel()).toThrow('not on core 0');
    expect(hardware.core).toBe(1);
    hardware.moveTo(0);
    expect(machine.timeTravel().kept).toHaveLength(1);
  });
});

/** Addresses of the bytes in which two moments differ. */
function changedBytes(one: Truth, other: Truth): readonly number[] {
  return one.snapshot.pages.flatMap((page, frame) => {
    const later = other.snapshot.pages[frame];
    if (page === later) return [];
    return [...(later ?? [])].flatMap((byte, index) =>
      byte === (page?.[index] ?? 0) ? [] : [0x8000_0000 + frame * 4096 + index],
    );
  });
}
