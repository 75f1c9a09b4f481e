import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Board } from '../src/board.js';
import { parseElf } from '../src/elf/elf.js';
import { GuestMemory } from '../src/memory/guestMemory.js';
import { InputLog } from '../src/devices/inputLog.js';
import { Stop } from '../src/hart/processor.js';
import { writeRegister } from '../src/hart/registers.js';
import { Transcript } from '../src/devices/transcript.js';
import { assembledElf, spins } from './guestFixtures.js';
import { randomWord } from './randomGuest.js';
import { PAGE, RAM, TestBoard } from './testBoard.js';

const PAGES = 4;
const RAM_BYTES = PAGES * PAGE;
const PROTECTED = 2;
const GUARD = 0x5a;

/** Addresses about everything that there is, and about the borders of it. */
const anyAddress = fc.oneof(
  fc.integer({ min: RAM - 8, max: RAM + RAM_BYTES + 8 }),
  fc.integer({ min: RAM, max: RAM + RAM_BYTES - 1 }),
  fc.constantFrom(0x0010_0000, 0x0200_0000, 0x0200_4000, 0x0200_4004, 0x0200_bff8, 0x0200_bffc),
  fc.integer({ min: 0x0fff_fffc, max: 0x1000_000c }),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
const anyRegister = fc.oneof(
  { weight: 3, arbitrary: anyAddress },
  fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x5555, 0x1_3333),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
const anyWord = fc.integer({ min: 0, max: 0xffff_ffff });

interface State {
  readonly registers: readonly number[];
  readonly user: boolean;
  readonly pc: number;
  readonly mstatus: number;
  readonly mie: number;
  readonly mtvec: number;
  readonly mepc: number;
  readonly mcounteren: number;
  readonly mtimecmp: number;
  readonly softwarePending: boolean;
  readonly waiting: boolean;
  readonly reservation: number;
  /** Makes the contents of RAM. */
  readonly seed: number;
}

/** A state of hart and devices, such as no program need ever reach. */
const anyState: fc.Arbitrary<State> = fc.record({
  registers: fc.array(anyRegister, { minLength: 31, maxLength: 31 }),
  user: fc.boolean(),
  pc: anyAddress.map((address) => (address & ~1) >>> 0),
  mstatus: anyWord,
  mie: fc.oneof(fc.constantFrom(0, 0x80, 0x88, 0x888), anyWord),
  mtvec: anyAddress,
  mepc: anyAddress,
  mcounteren: anyWord,
  mtimecmp: fc.oneof(fc.nat(300), anyWord),
  softwarePending: fc.boolean(),
  waiting: fc.boolean(),
  reservation: anyAddress.map((address) => address & ~3),
  seed: anyWord,
});

/** Fills memory with noise that a seed determines: xorshift. */
function fill(words: Int32Array, seed: number): void {
  let random = seed | 1;
  for (let index = 0; index < words.length; index += 1) {
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    words[index] = random;
  }
}

function boardIn(state: State): TestBoard {
  const input = Array.from({ length: 64 }, (_, index): [number, number] => [index * 3, index]);
  const board = new TestBoard({ pages: PAGES, input });
  fill(board.memory.i32, state.seed);
  board.memory.pageState.fill(PROTECTED);
  state.registers.forEach((value, index) => board.set(`x${index + 1}`, value));
  board
    .set('privilege', state.user ? 0 : 3)
    .set('mstatus', state.mstatus)
    .set('mie', state.mie);
  board.set('mtvec', state.mtvec).set('mepc', state.mepc).set('mcounteren', state.mcounteren);
  board.set('pc', state.pc);
  board.clint.write(0x4000, state.mtimecmp, 0);
  board.clint.write(0x4004, 0, 0);
  board.clint.write(0x0000, state.softwarePending ? 1 : 0, 0);
  board.state.waiting = state.waiting;
  board.state.reservation = state.reservation;
  return board;
}

function checkSound(board: TestBoard, before: Uint8Array): void {
  const { state, memory } = board;
  expect(memory.guardsIntact).toBe(true);
  expect([state.x.length, state.x[0], state.pc & 1]).toEqual([32, 0, 0]);
  expect([0, 3]).toContain(state.privilege);
  expect([0, 3]).toContain((state.mstatus >>> 11) & 3);
  expect(state.instructions + state.exceptions + state.idleCycles).toBe(state.cycles);
  // Only pages that were reported first have changed.
  const restored = memory.u8.slice();
  for (const { frame, contents } of memory.reported) restored.set(contents, frame * PAGE);
  expect(Buffer.compare(restored, before)).toBe(0);
}

describe('in any state, with anything in memory', () => {
  it('one step is an instruction, a trap or a wait, and touches nothing but RAM and devices', () => {
    fc.assert(
      fc.property(anyState, randomWord, (state, word) => {
        const board = boardIn(state);
        const offset = state.pc - RAM;
        if (offset >= 0 && offset < RAM_BYTES) board.memory.u16[offset >>> 1] = word;
        if (offset >= 0 && offset + 2 < RAM_BYTES) board.memory.u16[(offset >>> 1) + 1] = word >>> 16;
        const before = board.memory.u8.slice();
        const stop = board.step();
        const { cycles, exceptions, waiting } = board.state;
        if (stop === Stop.WAITING && cycles === 0) expect(waiting).toBe(true);
        else expect(cycles).toBe(1);
        expect(stop === Stop.EXCEPTION).toBe(exceptions === 1);
        checkSound(board, before);
      }),
      { numRuns: 5000 },
    );
  });

  it('whole pages of noise are executed for a while, wherever that leads', () => {
    const stops = new Set<Stop>();
    fc.assert(
      fc.property(anyState, fc.array(randomWord, { maxLength: 60, size: 'max' }), (state, words) => {
        const board = boardIn(state);
        // Bare noise hardly ever gets beyond an illegal instruction: some of it makes sense.
        words.forEach((word, index) => (board.memory.i32[(index * 67) % board.memory.i32.length] = word));
        const before = board.memory.u8.slice();
        const stop = board.runThrough(2000);
        stops.add(stop);
        if (stop === Stop.LIMIT) expect(board.state.cycles).toBe(2000);
        checkSound(board, before);
      }),
      { numRuns: 500 },
    );
    expect(stops).toContain(Stop.LIMIT);
  });

  it('jumps into data go on until the time is over', () => {
    fc.assert(
      fc.property(
        anyState,
        fc.nat(RAM_BYTES - 4),
        fc.array(randomWord, { minLength: 16, maxLength: 16 }),
        (state, at, words) => {
          const target = at & ~1;
          // Traps lead into data as well, and so does each return from one.
          const board = boardIn({
            ...state,
            pc: RAM + target,
            mtvec: RAM + ((target + 64) % RAM_BYTES),
            waiting: false,
          });
          words.forEach(
            (word, index) => (board.memory.i32[((target >>> 2) + index) % (RAM_BYTES / 4)] = word),
          );
          const before = board.memory.u8.slice();
          board.runThrough(2000);
          checkSound(board, before);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the logs behind RAM', () => {
  it('are not written by a guest, whatever it executes: there is no checkpoint to be kept', () => {
    const image = parseElf(assembledElf(spins), 'guest.elf');
    fc.assert(
      fc.property(anyState, fc.array(randomWord, { maxLength: 60, size: 'max' }), (state, words) => {
        const memory = new GuestMemory(RAM_BYTES, PAGES);
        const logs = new Uint8Array(memory.u8.buffer, RAM_BYTES, PAGES * PAGE).fill(GUARD);
        const board = new Board(memory, new Transcript(256), new InputLog(), 10);
        board.boot({ image: image, bootData: [], deviceTree: undefined, currentTask: undefined });
        fill(memory.i32, state.seed);
        words.forEach((word, index) => (memory.i32[(index * 67) % memory.i32.length] = word));
        state.registers.forEach((value, index) => writeRegister(board.state, `x${index + 1}`, BigInt(value)));
        board.state.privilege = state.user ? 0 : 3;
        writeRegister(board.state, 'mtvec', BigInt(state.mtvec));
        board.state.pc = state.pc | 0;
        for (let stop: Stop = Stop.EXCEPTION; stop === Stop.EXCEPTION;) stop = board.processor.run(2000);
        expect(logs.every((byte) => byte === GUARD)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
