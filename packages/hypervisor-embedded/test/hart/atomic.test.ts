import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stop } from '../../src/hart/processor.js';
import type { AtomicOperation } from '../assembler.js';
import { Assembler } from '../assembler.js';
import { boardWith, CORNERS, PAGE, RAM, type TestBoard } from '../testBoard.js';

const signed = (value: number): bigint => BigInt.asIntN(32, BigInt(value));
const unsigned = (value: number): bigint => BigInt.asUintN(32, BigInt(value));
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const greatest = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** What an atomic leaves in memory, of what was in memory and in its register. */
const OPERATIONS: readonly [AtomicOperation, (memory: number, register: number) => bigint][] = [
  ['amoswap', (_, register) => unsigned(register)],
  ['amoadd', (memory, register) => unsigned(memory) + unsigned(register)],
  ['amoxor', (memory, register) => unsigned(memory) ^ unsigned(register)],
  ['amoor', (memory, register) => unsigned(memory) | unsigned(register)],
  ['amoand', (memory, register) => unsigned(memory) & unsigned(register)],
  ['amomin', (memory, register) => least(signed(memory), signed(register))],
  ['amomax', (memory, register) => greatest(signed(memory), signed(register))],
  ['amominu', (memory, register) => least(unsigned(memory), unsigned(register))],
  ['amomaxu', (memory, register) => greatest(unsigned(memory), unsigned(register))],
];
const ALL: readonly AtomicOperation[] = [...OPERATIONS.map(([operation]) => operation), 'lr', 'sc'];
const CELL = RAM + PAGE + 8;

function setCell(board: TestBoard, value: number): TestBoard {
  board.memory.i32[(CELL - RAM) / 4] = value;
  return board;
}

describe.each(OPERATIONS)('%s', (operation, expected) => {
  it('gives the old word and stores the combined one', () => {
    for (const memory of CORNERS) {
      for (const register of CORNERS) {
        const board = boardWith((program) => program.atomic(operation, 'a2', 'a1', 'a0'));
        setCell(board, memory).set('a0', CELL).set('a1', register);
        expect(board.step()).toBe(Stop.LIMIT);
        const wanted = BigInt.asUintN(32, expected(memory, register));
        expect([board.x('a2'), BigInt(board.memory.word(CELL))], `${memory} ${register}`).toEqual([
          memory,
          wanted,
        ]);
      }
    }
  });

  it('reads its sources before it writes the register, and discards the old word into x0', () => {
    const board = boardWith((program) => {
      program
        .atomic(operation, 'a1', 'a1', 'a0')
        .atomic(operation, 'zero', 'a1', 'a0')
        .atomic(operation, 'a0', 'a1', 'a0');
    });
    setCell(board, 100).set('a0', CELL).set('a1', 30).processor.run(1);
    const first = Number(expected(100, 30));
    expect([board.x('a1'), board.memory.word(CELL)]).toEqual([100, first]);
    board.processor.run(3);
    const second = Number(BigInt.asUintN(32, expected(first, 100)));
    expect([board.x('a0'), board.state.x[0]]).toEqual([second, 0]);
  });

  it('reports a protected page before it stores', () => {
    const board = boardWith((program) => program.atomic(operation, 'a2', 'a1', 'a0'));
    setCell(board, 5).set('a0', CELL).set('a1', 3);
    board.memory.pageState.fill(2);
    const before = board.memory.u8.slice(PAGE, 2 * PAGE);
    board.step();
    expect(board.memory.reported.map(({ frame }) => frame)).toEqual([1]);
    expect(Buffer.compare(board.memory.reported[0]?.contents ?? before.subarray(1), before)).toBe(0);
  });
});

describe.each(ALL)('%s', (operation) => {
  const rs2 = operation === 'lr' ? 'zero' : 'a1';
  it.each([1, 2, 3])('does not work %i bytes off a word', (off) => {
    const board = boardWith((program) => program.atomic(operation, 'a2', rs2, 'a0')).set('a0', CELL + off);
    expect(board.step()).toBe(Stop.EXCEPTION);
    expect([board.x('mcause'), board.x('mtval')]).toEqual([operation === 'lr' ? 4 : 6, CELL + off]);
  });

  it.each([0, RAM - 4, RAM + 4 * PAGE, 0x0200_4000, 0x1000_0000, 0x0010_0000])(
    'does not work at %i, outside RAM',
    (address) => {
      const board = boardWith((program) => program.atomic(operation, 'a2', rs2, 'a0'))
        .set('a0', address)
        .set('a2', 9);
      expect(board.step()).toBe(Stop.EXCEPTION);
      expect([board.x('mcause'), board.x('mtval'), board.x('a2')]).toEqual([
        operation === 'lr' ? 5 : 7,
        address,
        9,
      ]);
      expect(board.written).toEqual([]);
    },
  );

  it('takes any ordering bits', () => {
    for (const ordering of [1, 2, 3]) {
      const [encoded] = new Assembler().atomic(operation, 'a2', rs2, 'a0').words();
      const board = boardWith((program) => program.word((encoded ?? 0) | (ordering << 25))).set('a0', CELL);
      expect(board.step()).toBe(Stop.LIMIT);
    }
  });
});

function illegal(encoded: number): void {
  const board = boardWith((program) => program.word(encoded)).set('x1', CELL);
  expect(board.step(), encoded.toString(16)).toBe(Stop.EXCEPTION);
  expect([board.x('mcause'), board.x('mtval')]).toEqual([2, encoded >>> 0]);
}

describe('encodings that the A extension does not define', () => {
  it('are illegal', () => {
    const defined = new Set([0x00, 0x01, 0x02, 0x03, 0x04, 0x08, 0x0c, 0x10, 0x14, 0x18, 0x1c]);
    for (let funct5 = 0; funct5 < 32; funct5 += 1) {
      if (!defined.has(funct5)) illegal((funct5 << 27) | (1 << 15) | (2 << 12) | 0x2f);
    }
    for (const funct3 of [0, 1, 3, 4, 5, 6, 7]) illegal((1 << 15) | (funct3 << 12) | 0x2f);
    illegal((0x02 << 27) | (1 << 20) | (1 << 15) | (2 << 12) | 0x2f);
  });
});

/** LR of the cell, then `between`, then SC of 77 to the cell with its outcome in a2. */
function pair(between: (program: Assembler) => void): TestBoard {
  const board = boardWith((program) => {
    program.atomic('lr', 'a1', 'zero', 'a0');
    between(program);
    program.atomic('sc', 'a2', 'a3', 'a0').label('end').jump('end');
  });
  return setCell(board, 41)
    .set('a0', CELL)
    .set('a3', 77)
    .set('a4', CELL + 4)
    .set('mtvec', RAM + 0x800);
}

function succeeds(board: TestBoard): void {
  board.runTo(20);
  expect([board.x('a1'), board.x('a2'), board.memory.word(CELL)]).toEqual([41, 0, 77]);
}
function fails(board: TestBoard, cell = 41): void {
  board.runTo(20);
  expect([board.x('a1'), board.x('a2'), board.memory.word(CELL)]).toEqual([41, 1, cell]);
}

describe('LR and SC', () => {
  it('store when nothing came between', () => succeeds(pair(() => {})));
  it('store when loads, arithmetic and stores to other words came between', () =>
    succeeds(
      pair((program) => {
        program
          .load('lw', 'a5', 'a0')
          .addi('a5', 'a5', 1)
          .store('sw', 'a5', 'a4')
          .store('sw', 'a5', 'a0', -4);
        program.store('sh', 'a5', 'a4', 1).atomic('amoadd', 'a5', 'a3', 'a4');
      }),
    ));

  it.each(['sb', 'sh', 'sw'] as const)(
    'do not store after %s to the word, even of the same value',
    (operation) => fails(pair((program) => program.load('lw', 'a5', 'a0').store(operation, 'a5', 'a0'))),
  );
  it('do not store after a misaligned store that reaches into the word from either side', () => {
    fails(
      pair((program) => program.store('sw', 'zero', 'a0', -3)),
      0,
    );
    fails(
      pair((program) => program.store('sw', 'zero', 'a0', 3)),
      41,
    );
    fails(
      pair((program) => program.store('sh', 'zero', 'a0', -1)),
      0,
    );
  });
  it('do not store after an AMO on the word', () =>
    fails(pair((program) => program.atomic('amoor', 'a5', 'zero', 'a0'))));
  it('do not store after an SC to another word, which fails', () => {
    const board = pair((program) => program.atomic('sc', 'a5', 'a3', 'a4'));
    fails(board);
    expect([board.x('a5'), board.memory.word(CELL + 4)]).toEqual([1, 0]);
  });
  it('do not store twice', () => {
    const board = pair((program) => program.atomic('sc', 'a5', 'a3', 'a0'));
    fails(board, 77);
    expect(board.x('a5')).toBe(0);
  });
  it('do not store after LR of another word', () =>
    fails(pair((program) => program.atomic('lr', 'a5', 'zero', 'a4'))));
  it('do not store after a trap', () => {
    const board = pair((program) => program.ecall());
    board.load(new Assembler(RAM + 0x800).csrr('t0', 0x341).addi('t0', 't0', 4).csrw(0x341, 't0').mret());
    fails(board);
  });
  it('do not store after an interrupt', () => {
    const board = pair((program) => program.nop().nop());
    board.load(new Assembler(RAM + 0x800).csrw(0x304, 'zero').mret());
    board.clint.write(0, 1, 0);
    board.set('mstatus', 0).step();
    board.set('mie', 8).set('mstatus', 8);
    fails(board);
  });
  it('do not store after a write from outside into the word, and store after one beside it', () => {
    for (const [address, bytes, broken] of [
      [CELL + 3, 1, true],
      [CELL - 100, 101, true],
      [CELL - 4, 4, false],
      [CELL + 4, 400, false],
    ] as const) {
      const board = pair(() => {});
      board.step();
      board.state.breakReservation(address, bytes);
      if (broken) fails(board);
      else succeeds(board);
    }
  });
  it('do not report a protected page when SC fails', () => {
    const board = boardWith((program) => program.atomic('sc', 'a2', 'a3', 'a0')).set('a0', CELL);
    board.memory.pageState.fill(2);
    board.step();
    expect([board.x('a2'), board.memory.reported.length]).toEqual([1, 0]);
  });
  it('keep the reservation over a saved and loaded state', () => {
    const board = pair(() => {});
    board.step();
    succeeds(board.copy());
  });
  it('store after LR and random stores exactly when none of them touched the word', () => {
    const store = fc.record({
      operation: fc.constantFrom('sb', 'sh', 'sw'),
      offset: fc.integer({ min: -12, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(store, { maxLength: 6 }), (stores) => {
        const widths = { sb: 1, sh: 2, sw: 4 } as const;
        const touched = stores.some(({ operation, offset }) => offset < 4 && offset + widths[operation] > 0);
        const board = pair((program) => {
          for (const { operation, offset } of stores) program.store(operation, 'a3', 'a0', offset);
        });
        board.runTo(20);
        expect(board.x('a2')).toBe(touched ? 1 : 0);
      }),
    );
  });
});
