import * as fc from 'fast-check';
import { Assembler, CSR } from './assembler.js';
import { PAGE, RAM, TestBoard } from './testBoard.js';

export const PAGES = 4;
export const CODE = RAM;
export const HANDLER = RAM + PAGE;
/** The border of two pages, so that what is stored around it crosses from one into the other. */
const DATA = RAM + 3 * PAGE;
const CLINT = 0x0200_0000;
const UART = 0x1000_0000;
const FINISHER = 0x0010_0000;

/** Registers that the trap handler sets again at each trap, so that most loads and stores hit something. */
export const POINTERS = [
  ['sp', DATA],
  ['gp', UART],
  ['tp', CLINT + 0x4000],
  ['t3', CLINT],
  ['t4', FINISHER],
  ['s11', 0x002a_3333],
] as const;
const POINTER_NUMBERS = [2, 2, 2, 2, 3, 4, 28, 29] as const;

const anyWord = fc.integer({ min: 0, max: 0xffffffff });
const opcode = fc.constantFrom(0x03, 0x0f, 0x13, 0x17, 0x23, 0x2f, 0x33, 0x37, 0x63, 0x67, 0x6f, 0x73);
/** Random operands under an opcode that exists. */
const instruction = fc.tuple(opcode, anyWord).map(([low, high]) => ((high & ~0x7f) | low) >>> 0);

/** Puts what the generated fields say over a random word. */
function fields(word: number, mask: number, value: number): number {
  return ((word & ~mask) | (value & mask)) >>> 0;
}

const arithmetic = fc
  .tuple(fc.constantFrom(0x33, 0x13), fc.constantFrom(0, 0, 1), anyWord)
  .map(([low, funct7, word]) => fields(word, 0xfe00_007f, (funct7 << 25) | low));
/** Operations of Zba, Zbb and Zbs, and their like that are none. */
const bitOperation = fc
  .tuple(
    fc.constantFrom(0x33, 0x13),
    fc.constantFrom(0x04, 0x05, 0x10, 0x14, 0x20, 0x24, 0x30, 0x34),
    fc.constantFrom(1, 2, 4, 5, 6, 7),
    anyWord,
  )
  .map(([low, funct7, funct3, word]) => fields(word, 0xfe00_707f, (funct7 << 25) | (funct3 << 12) | low));
/** Two instructions of 16 bits, or one and half of another, which makes all that follow lie at odd half words. */
const compressed = fc
  .tuple(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 1, 2), anyWord)
  .map(([low, quadrant, word]) => fields(word, 0x0000_ffff, (low & ~3) | quadrant));
const atomic = fc
  .tuple(fc.constantFrom(0, 1, 2, 2, 3, 3, 4, 8, 12, 16, 20, 24, 28), anyWord)
  .map(([operation, word]) => {
    const rs2 = operation === 2 ? 0x01f0_0000 : 0;
    return fields(word, 0xf80f_f07f | rs2, (operation << 27) | (2 << 15) | (2 << 12) | 0x2f);
  });
const offset = fc.oneof(fc.constantFrom(0, 0, 4), fc.integer({ min: -8, max: 7 }));
const load = fc
  .tuple(fc.constantFrom(...POINTER_NUMBERS), fc.constantFrom(0, 1, 2, 4, 5), offset, anyWord)
  .map(([rs1, width, at, word]) =>
    fields(word, 0xffff_f07f, (at << 20) | (rs1 << 15) | (width << 12) | 0x03),
  );
const store = fc
  .tuple(fc.constantFrom(...POINTER_NUMBERS), fc.constantFrom(0, 1, 2, 2), offset, anyWord)
  .map(([rs1, width, at, word]) => {
    const immediate = ((at >> 5) << 25) | ((at & 31) << 7);
    return fields(word, 0xfe0f_ffff, immediate | (rs1 << 15) | (width << 12) | 0x23);
  });
const csrNumber = fc.constantFrom(
  ...Object.values(CSR).filter((number) => number !== CSR.mtvec),
  CSR.mscratch,
  CSR.mscratch,
  CSR.mie,
  CSR.mstatus,
);
const csrAccess = fc
  .tuple(csrNumber, fc.constantFrom(1, 2, 3, 5, 6, 7), anyWord)
  .map(([number, operation, word]) => fields(word, 0xfff0_707f, (number << 20) | (operation << 12) | 0x73));
/** A store of what the handler left in s11. */
const exit = fc.constant(0x01be_a023);
/** ECALL, EBREAK, WFI, and seldom MRET, which mostly goes back to where it came by before. */
const privileged = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(0x0000_0073, 0x0010_0073, 0x1050_0073, 0x1050_0073) },
  fc.constant(0x3020_0073),
);
/** A branch over a few instructions, seldom back. */
const distance = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 6 }) },
  fc.integer({ min: -8, max: 0 }),
);
const branch = fc.tuple(distance, anyWord).map(([words, word]) => {
  const bits = words * 4;
  const high = (((bits >> 12) & 1) << 31) | (((bits >> 5) & 0x3f) << 25);
  const low = (((bits >> 1) & 0xf) << 8) | (((bits >> 11) & 1) << 7);
  return fields(word, 0xfe00_0fff, high | low | 0x63);
});

export const randomWord = fc.oneof(
  { weight: 10, arbitrary: anyWord },
  { weight: 30, arbitrary: instruction },
  { weight: 80, arbitrary: arithmetic },
  { weight: 40, arbitrary: bitOperation },
  { weight: 60, arbitrary: compressed },
  { weight: 40, arbitrary: atomic },
  { weight: 60, arbitrary: load },
  { weight: 60, arbitrary: store },
  { weight: 40, arbitrary: csrAccess },
  { weight: 20, arbitrary: privileged },
  { weight: 40, arbitrary: branch },
  { weight: 1, arbitrary: exit },
);

export interface RandomGuest {
  readonly words: readonly number[];
  readonly registers: readonly number[];
  readonly user: boolean;
  readonly mstatus: number;
  readonly mie: number;
  /** Ticks between two interrupts of the timer. */
  readonly timer: number;
  /** Whether traps go to random code, or nowhere, instead of to a handler. */
  readonly mtvec: number | undefined;
}

/** Programs that do everything at random: compute, trap, wait, set timers, talk to devices. */
export const randomGuest: fc.Arbitrary<RandomGuest> = fc.record({
  words: fc.array(randomWord, { minLength: 1, maxLength: 120, size: 'max' }),
  registers: fc.array(fc.oneof(anyWord, fc.constantFrom(0, 1, 0x5555, 0x002a_3333, DATA - 4, CODE)), {
    minLength: 31,
    maxLength: 31,
  }),
  user: fc.boolean(),
  mstatus: anyWord,
  mie: fc.oneof({ weight: 4, arbitrary: fc.constant(0x888) }, anyWord),
  timer: fc.integer({ min: 6, max: 60 }),
  mtvec: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, anyWord),
});

/** Goes on behind an exception, or at the start where there is no code; sets the timer at an interrupt. */
export function handlerOf({ timer }: RandomGuest): Assembler {
  const handler = new Assembler(HANDLER);
  for (const [name, value] of POINTERS) handler.li(name, value);
  handler.csrr('t6', CSR.mcause).branch('blt', 't6', 'zero', 'interrupt');
  handler.csrr('t5', CSR.mepc).addi('t5', 't5', 4).addi('t6', 't6', -1).branch('bne', 't6', 'zero', 'resume');
  handler.li('t5', CODE).label('resume').csrw(CSR.mepc, 't5').mret();
  handler
    .label('interrupt')
    .store('sw', 'zero', 't3')
    .li('t5', CLINT + 0xbff8)
    .load('lw', 't6', 't5')
    .li('t5', timer)
    .op('add', 't6', 't6', 't5');
  return handler.store('sw', 't6', 'tp').store('sw', 'zero', 'tp', 4).mret();
}

/** A board with a random guest at the start of RAM; all pages are protected. */
export function boardOf(guest: RandomGuest): TestBoard {
  const input = Array.from({ length: 40 }, (_, index): [number, number] => [index * 17, index]);
  const board = new TestBoard({ pages: PAGES, input });
  const loop = new Assembler(CODE).word(...guest.words);
  board.load(loop.jump(CODE - loop.here)).load(handlerOf(guest));
  board.memory.pageState.fill(2);
  guest.registers.forEach((value, index) => board.set(`x${index + 1}`, value));
  for (const [name, value] of POINTERS) board.set(name, value);
  board
    .set('privilege', guest.user ? 0 : 3)
    .set('mstatus', guest.mstatus)
    .set('mie', guest.mie);
  board.set('mtvec', guest.mtvec ?? HANDLER);
  board.clint.write(0x4000, guest.timer, 0);
  board.clint.write(0x4004, 0, 0);
  board.state.timerRearmCycle = -1;
  return board;
}

/** Everything in which two runs can differ: state, memory and output. */
export function outcomeOf(board: TestBoard): string {
  const bytes = Buffer.concat([board.save(), board.memory.u8, Uint8Array.from(board.written)]);
  return bytes.toString('latin1');
}
