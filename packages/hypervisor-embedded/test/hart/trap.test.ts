import { describe, expect, it } from 'vitest';
import { HartState } from '../../src/hart/hartState.js';
import { ExceptionCause } from '../../src/hart/privileged.js';
import { Stop } from '../../src/hart/processor.js';
import { StateReader, StateWriter } from '../../src/memory/stateStream.js';
import { takeException } from '../../src/hart/trap.js';
import { Assembler, CSR } from '../assembler.js';
import { boardWith, RAM, TestBoard } from '../testBoard.js';

const HANDLER = RAM + 0x800;
const MIE = 0x8;
const MPIE = 0x80;
const MPP = 0x1800;
const MPRV = 0x20000;
const TW = 0x200000;

describe('a synchronous exception', () => {
  const causes: [
    name: string,
    build: (program: Assembler) => void,
    cause: [user: number, machine: number],
    value: number,
  ][] = [
    ['ECALL', (program) => program.ecall(), [8, 11], 0],
    ['EBREAK', (program) => program.ebreak(), [3, 3], RAM],
    ['an illegal instruction', (program) => program.word(0xffff_ffff), [2, 2], 0xffff_ffff],
    ['a load from nowhere', (program) => program.load('lw', 'a0', 'zero', 0x40), [5, 5], 0x40],
    ['a store to nowhere', (program) => program.store('sb', 'a0', 'zero', 0x41), [7, 7], 0x41],
    ['a misaligned atomic', (program) => program.atomic('amoadd', 'a0', 'a1', 'sp'), [6, 6], RAM + 0x102],
  ];
  it.each(causes)(
    '(%s) is reported from either privilege level, and taken in one cycle',
    (_, build, [user, machine], value) => {
      for (const [privilege, cause] of [
        [0, user],
        [3, machine],
      ] as const) {
        for (const enabled of [0, MIE]) {
          const board = boardWith(build)
            .set('mtvec', HANDLER)
            .set('privilege', privilege)
            .set('sp', RAM + 0x102);
          board.set('mstatus', enabled).set('mepc', 0x1234);
          expect(board.processor.run(100)).toBe(Stop.EXCEPTION);
          expect([board.state.exceptionCause, board.state.exceptionPrivilege]).toEqual([cause, privilege]);
          expect([board.x('mcause'), board.x('mtval'), board.x('mepc')]).toEqual([cause, value, RAM]);
          expect([board.x('pc'), board.x('privilege')]).toEqual([HANDLER, 3]);
          expect(board.x('mstatus')).toBe((enabled === 0 ? 0 : MPIE) | (privilege << 11));
          expect([board.state.cycles, board.state.exceptions, board.state.instructions]).toEqual([1, 1, 0]);
        }
      }
    },
  );

  it('goes to the base of a vectored mtvec', () => {
    const board = boardWith((program) => program.ecall()).set('mtvec', HANDLER | 1);
    board.step();
    expect(board.x('pc')).toBe(HANDLER);
  });

  it('keeps MPRV and TW, and overwrites what the trap before had left', () => {
    const board = boardWith((program) => program.ecall())
      .set('mstatus', MPRV | TW | MPIE | MPP)
      .set('privilege', 0);
    board.step();
    expect(board.x('mstatus')).toBe(MPRV | TW);
  });

  it('comes back behind ECALL when its handler says so', () => {
    const board = boardWith((program) => program.ecall().addi('a0', 'zero', 7).label('end').jump('end'));
    board.load(new Assembler(HANDLER).csrr('t0', CSR.mepc).addi('t0', 't0', 4).csrw(CSR.mepc, 't0').mret());
    board.set('mtvec', HANDLER).set('privilege', 0).runTo(20);
    expect([board.x('a0'), board.x('privilege'), board.x('mstatus')]).toEqual([7, 0, MPIE]);
  });

  it('can be raised from outside, as the hardware would', () => {
    const board = boardWith((program) => program.nop().nop())
      .set('mtvec', HANDLER)
      .set('privilege', 0);
    board.set('mstatus', MIE).step();
    takeException(board.state, ExceptionCause.LOAD_ACCESS_FAULT, 0x8765_4321);
    expect([board.x('mcause'), board.x('mtval'), board.x('mepc')]).toEqual([5, 0x8765_4321, RAM + 4]);
    expect([board.x('pc'), board.x('privilege'), board.x('mstatus')]).toEqual([HANDLER, 3, MPIE]);
    expect([board.state.cycles, board.state.exceptions, board.state.instructions]).toEqual([2, 1, 1]);
  });

  it('raised from outside ends WFI', () => {
    const board = boardWith((program) => program.wfi()).set('mtvec', HANDLER);
    expect(board.processor.run(10)).toBe(Stop.WAITING);
    takeException(board.state, ExceptionCause.BREAKPOINT, 0);
    board.load(new Assembler(HANDLER).addi('a0', 'zero', 3));
    expect(board.processor.run(3)).toBe(Stop.LIMIT);
    expect([board.x('a0'), board.x('mepc')]).toEqual([3, RAM + 4]);
  });
});

describe('MRET', () => {
  it.each([
    ['to user mode, interrupts on', MPIE, 0, MIE | MPIE],
    ['to user mode, interrupts off', 0, 0, MPIE],
    ['to machine mode, interrupts on', MPIE | MPP, 3, MIE | MPIE],
    ['to machine mode, interrupts off', MPP | MIE, 3, MPIE],
    ['to machine mode, which keeps MPRV', MPP | MPRV, 3, MPIE | MPRV],
    ['to user mode, which clears MPRV', MPRV | TW, 0, MPIE | TW],
  ])('returns %s', (_, mstatus, privilege, after) => {
    const board = boardWith((program) => program.mret())
      .set('mstatus', mstatus)
      .set('mepc', RAM + 0x40);
    expect(board.step()).toBe(Stop.LIMIT);
    expect([board.x('pc'), board.x('privilege'), board.x('mstatus')]).toEqual([RAM + 0x40, privilege, after]);
    expect(board.state.instructions).toBe(1);
  });

  it('is illegal in user mode', () => {
    const board = boardWith((program) => program.mret())
      .set('privilege', 0)
      .set('mstatus', MPP);
    expect(board.step()).toBe(Stop.EXCEPTION);
    expect([board.x('mcause'), board.x('mtval')]).toEqual([2, 0x30200073]);
  });
});

describe('user mode', () => {
  it('may touch all of RAM and every device: there is no PMP entry that could forbid it', () => {
    const board = boardWith((program) => {
      program.store('sw', 'a0', 'sp').load('lw', 'a1', 'sp').store('sb', 'a0', 'a2');
    });
    board
      .set('privilege', 0)
      .set('a0', 0x41)
      .set('sp', RAM + 0x400)
      .set('a2', 0x1000_0000);
    expect(board.processor.run(3)).toBe(Stop.LIMIT);
    expect([board.x('a1'), board.written]).toEqual([0x41, [0x41]]);
  });

  it('may wait for interrupts unless TW is set', () => {
    const waiting = boardWith((program) => program.wfi()).set('privilege', 0);
    expect(waiting.processor.run(5)).toBe(Stop.WAITING);
    const trapped = boardWith((program) => program.wfi())
      .set('privilege', 0)
      .set('mstatus', TW);
    expect(trapped.processor.run(5)).toBe(Stop.EXCEPTION);
    expect([trapped.x('mcause'), trapped.x('mtval')]).toEqual([2, 0x10500073]);
    const machine = new TestBoard().load(new Assembler().wfi()).set('mstatus', TW);
    expect(machine.processor.run(5)).toBe(Stop.WAITING);
  });
});

describe('the sign of a context switch', () => {
  /** A return from a trap to the instruction behind it; the handler has put `context` into mscratch. */
  const returning = (program: Assembler): TestBoard => {
    const board = new TestBoard().set('mstatus', MPP).set('mscratch', 5).load(program);
    board.state.resumedContext = 5;
    board.state.hasResumed = true;
    return board;
  };

  it('is a return from a trap that leaves mscratch with another value than the last one did', () => {
    const board = returning(new Assembler().csrw(CSR.mscratch, 'a0').mret());
    board.set('a0', 6).set('mepc', RAM + 8);
    board.processor.run(1);
    expect(board.state.contextSwitchCycle).toBe(-1);
    board.processor.run(2);
    expect(board.state.contextSwitchCycle).toBe(1);
  });

  it('is not the first return after boot: a kernel that sets mscratch once has switched nothing', () => {
    const board = returning(new Assembler().csrw(CSR.mscratch, 'a0').mret());
    board.state.hasResumed = false;
    board.set('a0', 6).set('mepc', RAM).processor.run(2);
    expect(board.state.contextSwitchCycle).toBe(-1);
    board.set('a0', 7).set('mstatus', MPP).processor.run(4);
    expect(board.state.contextSwitchCycle).toBe(3);
  });

  it('is not given by a handler that swaps mscratch with a register and swaps it back', () => {
    const swap = (program: Assembler): Assembler => program.csr('csrrw', 'sp', CSR.mscratch, 'sp');
    const board = returning(swap(swap(new Assembler())).mret());
    board.set('mepc', RAM + 12).processor.run(3);
    expect(board.state.contextSwitchCycle).toBe(-1);
  });

  it('is known again after a rollback: what was resumed last is part of the saved state', () => {
    const board = returning(new Assembler().mret());
    const bytes = new Uint8Array(HartState.BYTES);
    board.state.save(new StateWriter(bytes));
    board.state.resumedContext = 7;
    board.state.load(new StateReader(bytes));
    board.set('mepc', RAM + 4).processor.run(1);
    expect(board.state.contextSwitchCycle).toBe(-1);
  });

  it('is compared with a return before the rollback, if there was one', () => {
    const board = returning(new Assembler().mret());
    const bytes = new Uint8Array(HartState.BYTES);
    board.state.save(new StateWriter(bytes));
    board.state.hasResumed = false;
    board.state.load(new StateReader(bytes));
    board
      .set('mscratch', 6)
      .set('mepc', RAM + 4)
      .processor.run(1);
    expect(board.state.contextSwitchCycle).toBe(0);
  });
});
