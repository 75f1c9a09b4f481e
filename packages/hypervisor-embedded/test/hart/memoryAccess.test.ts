import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Stop } from '../../src/hart/processor.js';
import type { LoadOperation, StoreOperation } from '../assembler.js';
import { Assembler } from '../assembler.js';
import { boardWith, CORNERS, PAGE, RAM, TestBoard } from '../testBoard.js';

const LOADS: readonly [LoadOperation, (view: DataView, at: number) => number, width: number][] = [
  ['lb', (view, at) => view.getInt8(at), 1],
  ['lh', (view, at) => view.getInt16(at, true), 2],
  ['lw', (view, at) => view.getInt32(at, true), 4],
  ['lbu', (view, at) => view.getUint8(at), 1],
  ['lhu', (view, at) => view.getUint16(at, true), 2],
];
const STORES: readonly [
  StoreOperation,
  (view: DataView, at: number, value: number) => void,
  width: number,
][] = [
  ['sb', (view, at, value) => view.setUint8(at, value), 1],
  ['sh', (view, at, value) => view.setUint16(at, value, true), 2],
  ['sw', (view, at, value) => view.setUint32(at, value, true), 4],
];

const PAGES = 4;
const END = RAM + PAGES * PAGE;
/** Where accesses are interesting: around the borders of words and pages, aligned and not. */
const PLACES = [0, 1, 2, 3, 4, 5, 6, 7, PAGE - 4, PAGE - 3, PAGE - 2, PAGE - 1, PAGE].map(
  (at) => RAM + PAGE + at,
);

function viewOf(board: TestBoard): DataView {
  return new DataView(board.memory.u8.buffer, board.memory.u8.byteOffset, board.memory.bytes);
}

function fill(board: TestBoard, from = PAGE): void {
  for (let at = from; at < board.memory.bytes; at += 1) board.memory.u8[at] = (at * 167 + 13) >>> 2;
}

describe.each(LOADS)('%s', (operation, expected, width) => {
  it('reads RAM at every alignment, across pages too', () => {
    for (const address of PLACES) {
      const board = boardWith((program) => program.load(operation, 'a1', 'a0', -3)).set('a0', address + 3);
      fill(board);
      expect(board.step()).toBe(Stop.LIMIT);
      expect(board.x('a1'), `at ${address.toString(16)}`).toBe(expected(viewOf(board), address - RAM) >>> 0);
      expect(board.memory.reported).toEqual([]);
    }
  });

  it.each([RAM - 1, RAM - width, 0, 0x1000_0008, END, 0xfffffffc, 0xffffffff])('faults at %i', (address) => {
    const board = boardWith((program) => program.load(operation, 'a1', 'a0'))
      .set('a0', address)
      .set('a1', 7);
    expect(board.step()).toBe(Stop.EXCEPTION);
    expect([board.x('mcause'), board.x('mtval'), board.x('mepc'), board.x('a1')]).toEqual([
      5,
      address,
      RAM,
      7,
    ]);
  });

  it('reads the last bytes of RAM, and faults at its end where they do not suffice', () => {
    for (let address = END - 4; address < END; address += 1) {
      const board = boardWith((program) => program.load(operation, 'a1', 'a0')).set('a0', address);
      fill(board);
      const fits = address + width <= END;
      expect(board.step()).toBe(fits ? Stop.LIMIT : Stop.EXCEPTION);
      if (fits) expect(board.x('a1')).toBe(expected(viewOf(board), address - RAM) >>> 0);
      else expect([board.x('mcause'), board.x('mtval')]).toEqual([5, END]);
    }
  });

  it('wraps its address around', () => {
    const board = boardWith((program) => program.load(operation, 'a1', 'a0', -2048)).set('a0', 0x0000_0700);
    board.step();
    expect([board.x('mcause'), board.x('mtval')]).toEqual([5, 0xffff_ff00]);
  });
});

describe.each(STORES)('%s', (operation, expected, width) => {
  it('writes its bytes and no others, at every alignment, across pages too', () => {
    for (const address of PLACES) {
      for (const value of CORNERS) {
        const board = boardWith((program) => program.store(operation, 'a1', 'a0', -7));
        board.set('a0', address + 7).set('a1', value);
        fill(board);
        const wanted = board.memory.u8.slice();
        expected(new DataView(wanted.buffer), address - RAM, value);
        expect(board.step()).toBe(Stop.LIMIT);
        expect(Buffer.compare(board.memory.u8, wanted), `at ${address.toString(16)}`).toBe(0);
      }
    }
  });

  it('reports each protected page that it touches once, before any byte has changed', () => {
    for (const address of PLACES) {
      const board = boardWith((program) => {
        program.store(operation, 'a1', 'a0').store(operation, 'a1', 'a0');
      });
      board.set('a0', address).set('a1', 0x1234_5678);
      fill(board);
      board.memory.pageState.fill(2);
      const before = board.memory.u8.slice();
      expect(board.processor.run(2)).toBe(Stop.LIMIT);
      const frames = new Set([address, address + width - 1].map((byte) => (byte - RAM) >>> 12));
      expect(board.memory.reported.map(({ frame }) => frame)).toEqual([...frames]);
      for (const { frame, contents } of board.memory.reported) {
        expect(Buffer.compare(contents, before.subarray(frame * PAGE, (frame + 1) * PAGE))).toBe(0);
      }
    }
  });

  it('reports a page at the exact cycle and pc', () => {
    const seen: [number, number][] = [];
    const board = boardWith((program) => program.nop().nop().store(operation, 'a1', 'a0', 1));
    const beforeWrite = board.memory.beforeWrite.bind(board.memory);
    board.memory.beforeWrite = (frame) => {
      seen.push([board.state.cycles, board.x('pc')]);
      beforeWrite(frame);
    };
    board.memory.pageState.fill(1);
    board.set('a0', RAM + PAGE).processor.run(3);
    expect(seen).toEqual([[2, RAM + 8]]);
  });

  it.each([RAM - 1, RAM - width, 0, 0x1000_0008, END, 0xfffffffc, 0xffffffff])('faults at %i', (address) => {
    const board = boardWith((program) => program.store(operation, 'a1', 'a0'))
      .set('a0', address)
      .set('a1', 7);
    board.memory.pageState.fill(2);
    const before = board.memory.u8.slice();
    expect(board.step()).toBe(Stop.EXCEPTION);
    expect([board.x('mcause'), board.x('mtval'), board.x('mepc')]).toEqual([7, address, RAM]);
    expect(Buffer.compare(board.memory.u8, before)).toBe(0);
    expect(board.memory.reported).toEqual([]);
  });

  it('writes the last bytes of RAM, and changes nothing where they do not suffice', () => {
    for (let address = END - 4; address < END; address += 1) {
      const board = boardWith((program) => program.store(operation, 'a1', 'a0'));
      board.set('a0', address).set('a1', 0x1234_5678);
      fill(board);
      board.memory.pageState.fill(2);
      const wanted = board.memory.u8.slice();
      const fits = address + width <= END;
      if (fits) expected(new DataView(wanted.buffer), address - RAM, 0x1234_5678);
      expect(board.step()).toBe(fits ? Stop.LIMIT : Stop.EXCEPTION);
      if (!fits) expect([board.x('mcause'), board.x('mtval')]).toEqual([7, END]);
      expect(board.memory.reported.length).toBe(fits ? 1 : 0);
      expect(Buffer.compare(board.memory.u8, wanted)).toBe(0);
      expect(board.memory.guardsIntact).toBe(true);
    }
  });
});

describe('any sequence of loads and stores', () => {
  const access = fc.record({
    store: fc.constantFrom(...STORES),
    load: fc.constantFrom(...LOADS),
    at: fc.integer({ min: PAGE, max: PAGES * PAGE - 4 }),
    from: fc.integer({ min: PAGE, max: PAGES * PAGE - 4 }),
    value: fc.integer({ min: 0, max: 0xffffffff }),
  });

  it('acts as on an array of bytes', () => {
    fc.assert(
      fc.property(fc.array(access, { minLength: 1, maxLength: 20 }), (accesses) => {
        const program = new Assembler();
        const model = new DataView(new ArrayBuffer(PAGES * PAGE));
        const loaded: number[] = [];
        for (const { store, load, at, from, value } of accesses) {
          program
            .li('t0', RAM + at)
            .li('t1', value)
            .store(store[0], 't1', 't0');
          program.li('t0', RAM + from).load(load[0], 't2', 't0');
          store[1](model, at, value);
          loaded.push(load[1](model, from) >>> 0);
        }
        const board = new TestBoard({ pages: PAGES }).load(program);
        board.memory.pageState.fill(2);
        for (const wanted of loaded) {
          expect(board.processor.run(board.state.cycles + 8)).toBe(Stop.LIMIT);
          expect(board.x('t2')).toBe(wanted);
        }
        expect(Buffer.compare(board.memory.u8.subarray(PAGE), new Uint8Array(model.buffer, PAGE))).toBe(0);
      }),
    );
  });
});
