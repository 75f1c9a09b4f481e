import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stop } from '../../src/hart/processor.js';
import { Assembler, CSR } from '../assembler.js';
import { boardWith, RAM, type TestBoard } from '../testBoard.js';

const HANDLER = RAM + 0x800;
const CLINT = 0x0200_0000;
const MTIMECMP = CLINT + 0x4000;
const SOFTWARE = 0x8;
const TIMER = 0x80;
const MIE = 0x8;

/** A board that counts in a0, one instruction a count, and counts its interrupts in s0. */
function counting(cyclesPerTick = 10): TestBoard {
  const board = boardWith(
    (program) => {
      for (let count = 0; count < 500; count += 1) program.addi('a0', 'a0', 1);
    },
    { cyclesPerTick },
  );
  board.load(new Assembler(HANDLER).addi('s0', 's0', 1).csrw(CSR.mie, 'zero').mret());
  return board.set('mtvec', HANDLER);
}

function arm(board: TestBoard, tick: number): TestBoard {
  board.clint.write(0x4000, tick, 0);
  board.clint.write(0x4004, 0, 0);
  return board;
}

describe('the timer interrupt', () => {
  it.each([1, 3, 10, 3.3, 0.7])(
    'comes at the very cycle at which mtime reaches mtimecmp, at %d cycles a tick',
    (cyclesPerTick) => {
      for (let tick = 1; tick < 30; tick += 1) {
        const board = arm(counting(cyclesPerTick), tick).set('mie', TIMER).set('mstatus', MIE);
        expect(board.runTo(400)).toBe(Stop.LIMIT);
        let first = 0;
        while (Math.floor(first / cyclesPerTick) < tick) first += 1;
        // What was interrupted is the instruction that would have been number `first`.
        expect([board.x('mepc'), board.x('mcause'), board.x('mtval')]).toEqual([
          RAM + 4 * first,
          0x8000_0007,
          0,
        ]);
        expect(board.x('s0')).toBe(1);
        expect(board.x('a0')).toBe(400 - 3);
      }
    },
  );

  it('costs no cycle and is not reported', () => {
    const board = arm(counting(), 2).set('mie', TIMER).set('mstatus', MIE);
    expect(board.processor.run(21)).toBe(Stop.LIMIT);
    expect([board.x('pc'), board.x('a0'), board.x('s0')]).toEqual([HANDLER + 4, 20, 1]);
    expect([board.state.cycles, board.state.exceptions, board.state.instructions]).toEqual([21, 0, 21]);
  });

  it('that becomes deliverable at the limit is left to the next call', () => {
    const board = arm(counting(), 2).set('mie', TIMER).set('mstatus', MIE);
    expect(board.processor.run(20)).toBe(Stop.LIMIT);
    expect(board.x('pc')).toBe(RAM + 80);
    expect(board.processor.run(20)).toBe(Stop.LIMIT);
    expect(board.x('pc')).toBe(RAM + 80);
  });

  it('is pending in mip exactly from that cycle on, whether enabled or not', () => {
    const board = boardWith((program) => {
      for (let count = 0; count < 25; count += 1)
        program.csrr('a1', CSR.mip).store('sw', 'a1', 'sp').addi('sp', 'sp', 4);
    });
    arm(board, 3)
      .set('sp', RAM + 0x1000)
      .processor.run(75);
    for (let read = 0; read < 25; read += 1) {
      expect(board.memory.word(RAM + 0x1000 + 4 * read)).toBe(3 * read >= 30 ? TIMER : 0);
    }
  });

  it('goes away when mtimecmp is moved on', () => {
    const board = boardWith((program) =>
      program.csrr('a1', CSR.mip).store('sw', 'a0', 't0').csrr('a2', CSR.mip).nop(),
    );
    arm(board, 0).set('t0', MTIMECMP).set('a0', 100).set('mie', TIMER);
    board.processor.run(3);
    expect([board.x('a1'), board.x('a2'), board.state.timerRearmCycle]).toEqual([TIMER, 0, 1]);
    expect(board.state.nextWakeCycle()).toBe(1000);
  });
});

describe('an interrupt', () => {
  const deliveries: [name: string, privilege: 0 | 3, mstatus: number, mie: number, delivered: boolean][] = [
    ['enabled in machine mode', 3, MIE, SOFTWARE, true],
    ['disabled by mstatus in machine mode', 3, 0, SOFTWARE, false],
    ['disabled by mie in machine mode', 3, MIE, TIMER, false],
    ['enabled in user mode', 0, MIE, SOFTWARE, true],
    ['disabled by mstatus in user mode, which does not count', 0, 0, SOFTWARE, true],
    ['disabled by mie in user mode', 0, MIE, 0, false],
  ];
  it.each(deliveries)('that is %s', (_, privilege, mstatus, mie, delivered) => {
    const board = counting().set('privilege', privilege).set('mstatus', mstatus).set('mie', mie);
    board.clint.write(0, 1, 0);
    expect(board.step()).toBe(Stop.LIMIT);
    expect(board.x('s0')).toBe(delivered ? 1 : 0);
    if (delivered) {
      expect([board.x('mcause'), board.x('mepc'), board.x('privilege')]).toEqual([0x8000_0003, RAM, 3]);
      expect(board.x('mstatus')).toBe((privilege << 11) | (mstatus === MIE ? 0x80 : 0));
    }
  });

  it('by software goes before one by the timer', () => {
    const board = arm(counting(), 0)
      .set('mie', SOFTWARE | TIMER)
      .set('mstatus', MIE);
    board.clint.write(0, 1, 0);
    board.step();
    expect(board.x('mcause')).toBe(0x8000_0003);
  });

  it('goes to its own vector of a vectored mtvec', () => {
    for (const [number, raise] of [
      [3, (board: TestBoard) => board.clint.write(0, 1, 0)],
      [7, (board: TestBoard) => arm(board, 0)],
    ] as const) {
      const board = counting()
        .set('mtvec', (HANDLER - 0x100) | 1)
        .set('mie', SOFTWARE | TIMER)
        .set('mstatus', MIE);
      board.load(new Assembler(HANDLER - 0x100 + 4 * number).addi('s1', 'zero', number));
      raise(board);
      board.step();
      expect([board.x('s1'), board.x('pc')]).toEqual([number, HANDLER - 0x100 + 4 * number + 4]);
    }
  });

  const enablers: [name: string, build: (program: Assembler) => void][] = [
    ['CSRW to mie', (program) => program.csrw(CSR.mie, 'a5')],
    ['CSRS to mstatus', (program) => program.csrImmediate('csrrs', 'zero', CSR.mstatus, 8)],
    ['a store to msip', (program) => program.store('sw', 'a6', 'a7')],
    ['MRET', (program) => program.mret()],
  ];
  it.each(enablers)('comes right behind the instruction that lets it in: %s', (name, build) => {
    const board = boardWith((program) => {
      program.nop();
      build(program);
      for (let count = 0; count < 20; count += 1) program.addi('a0', 'a0', 1);
    });
    board.load(new Assembler(HANDLER).addi('s0', 's0', 1)).set('mtvec', HANDLER);
    board
      .set('a5', SOFTWARE)
      .set('a6', 1)
      .set('a7', CLINT)
      .set('mepc', RAM + 8);
    if (name !== 'a store to msip') board.clint.write(0, 1, 0);
    board.set('mie', name === 'CSRW to mie' ? 0 : SOFTWARE);
    board.set('mstatus', name === 'MRET' ? 0x1880 : name === 'CSRS to mstatus' ? 0 : MIE);
    board.processor.run(3);
    expect([board.x('mepc'), board.x('a0'), board.x('s0')]).toEqual([RAM + 8, 0, 1]);
  });
});

describe('WFI', () => {
  const waiter = (): TestBoard => {
    const board = boardWith((program) => program.wfi().addi('a0', 'zero', 1).label('end').jump('end'));
    board.load(new Assembler(HANDLER).addi('s0', 's0', 1).csrw(CSR.mie, 'zero').mret());
    return board.set('mtvec', HANDLER);
  };

  it('waits as long as no enabled interrupt is pending, and again when asked again', () => {
    const board = waiter().set('mie', TIMER);
    expect(board.processor.run(100)).toBe(Stop.WAITING);
    expect(board.processor.run(100)).toBe(Stop.WAITING);
    expect([board.state.cycles, board.state.waiting, board.x('pc')]).toEqual([1, true, RAM + 4]);
    expect(board.state.nextWakeCycle()).toBe(Infinity);
  });

  it('ends with the timer, in idle time that the owner lets pass', () => {
    const board = arm(waiter(), 50).set('mie', TIMER).set('mstatus', MIE);
    expect(board.processor.run(1000)).toBe(Stop.WAITING);
    expect(board.state.nextWakeCycle()).toBe(500);
    board.state.cycles = 499;
    board.state.idleCycles = 498;
    expect(board.processor.run(1000)).toBe(Stop.WAITING);
    board.state.cycles = 500;
    board.state.idleCycles = 499;
    expect(board.state.nextWakeCycle()).toBe(500);
    expect(board.processor.run(504)).toBe(Stop.LIMIT);
    expect([board.x('s0'), board.x('a0'), board.x('mepc'), board.state.waiting]).toEqual([
      1,
      1,
      RAM + 4,
      false,
    ]);
    expect([board.state.cycles, board.state.instructions]).toEqual([504, 5]);
  });

  it('has not ended at the limit yet: the state at a cycle does not depend on how often run was asked for it', () => {
    const board = arm(waiter(), 50).set('mie', TIMER).set('mstatus', MIE);
    board.processor.run(1000);
    board.state.cycles = 500;
    board.state.idleCycles = 499;
    const before = board.save();
    expect(board.processor.run(500)).toBe(Stop.LIMIT);
    expect(board.save()).toEqual(before);
  });

  it('ends without a trap where interrupts are off in mstatus', () => {
    const board = waiter().set('mie', SOFTWARE);
    expect(board.processor.run(10)).toBe(Stop.WAITING);
    board.clint.write(0, 1, 0);
    expect(board.state.nextWakeCycle()).toBe(1);
    expect(board.processor.run(10)).toBe(Stop.LIMIT);
    expect([board.x('s0'), board.x('a0')]).toEqual([0, 1]);
  });

  it('does not wait when an enabled interrupt is pending already', () => {
    const board = waiter().set('mie', SOFTWARE);
    board.clint.write(0, 1, 0);
    expect(board.processor.run(2)).toBe(Stop.LIMIT);
    expect(board.x('a0')).toBe(1);
  });

  it('waits forever where nothing is enabled, and wakes for nothing that is not', () => {
    const board = arm(waiter(), 0);
    board.clint.write(0, 1, 0);
    expect(board.processor.run(10)).toBe(Stop.WAITING);
    expect(board.state.nextWakeCycle()).toBe(Infinity);
  });
});

describe('a periodic timer', () => {
  it('ticks at the same instructions however the run is cut', () => {
    const build = (): TestBoard => {
      const board = boardWith((program) =>
        program.label('loop').addi('a0', 'a0', 1).op('xor', 'a1', 'a1', 'a0').jump('loop'),
      );
      const handler = new Assembler(HANDLER);
      // Notes mepc, and rearms 7 ticks on.
      handler.csrr('t0', CSR.mepc).store('sw', 't0', 'sp').addi('sp', 'sp', 4);
      handler.load('lw', 't0', 's2').addi('t0', 't0', 7).store('sw', 't0', 's3').mret();
      board
        .load(handler)
        .set('mtvec', HANDLER)
        .set('sp', RAM + 0x1000)
        .set('s2', CLINT + 0xbff8)
        .set('s3', MTIMECMP);
      return arm(board, 5).set('mie', TIMER).set('mstatus', MIE);
    };
    const whole = build();
    whole.runTo(5000);
    expect(whole.x('sp')).toBeGreaterThan(RAM + 0x1000 + 4 * 60);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 }), (slices) => {
        const cut = build();
        let at = 0;
        for (const slice of slices) {
          at = Math.min(5000, at + slice);
          cut.runTo(at);
          expect(cut.state.cycles).toBe(at);
        }
        cut.runTo(5000);
        expect(Buffer.compare(cut.save(), whole.save())).toBe(0);
        expect(Buffer.compare(cut.memory.u8, whole.memory.u8)).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});
