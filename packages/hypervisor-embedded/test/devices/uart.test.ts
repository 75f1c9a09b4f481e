import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StateReader, StateWriter } from '../../src/memory/stateStream.js';
import { Uart } from '../../src/devices/uart.js';

const [DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const FCR = IIR;

/** A UART, what it has transmitted, and what lies on its line: each byte with the cycle at which it arrives. */
function wired(input: [cycle: number, byte: number][] = []): {
  uart: Uart;
  sent: number[];
  line: [number, number][];
} {
  const sent: number[] = [];
  const line = [...input];
  const uart = new Uart({
    transmit: (byte) => {
      sent.push(byte);
    },
    receive: (cycle) => {
      const next = line[0];
      if (next === undefined || next[0] > cycle) return -1;
      line.shift();
      return next[1];
    },
  });
  return { uart, sent, line };
}

const bytesAt = (cycle: number, count: number): [number, number][] =>
  Array.from({ length: count }, (_, index) => [cycle, 0x41 + index]);

describe('after power-on', () => {
  it('the registers hold what QEMU’s do', () => {
    const { uart } = wired();
    expect([DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR].map((offset) => uart.read(offset, 0))).toEqual([
      0, 0, 0x01, 0, 0x08, 0x60, 0xb0, 0,
    ]);
    uart.write(LCR, 0x80, 0);
    expect([uart.read(DATA, 0), uart.read(IER, 0)]).toEqual([0x0c, 0]);
  });
});

describe('the registers', () => {
  it('keep the bits that they have', () => {
    const { uart } = wired();
    for (const [offset, kept] of [
      [IER, 0x0f],
      [LCR, 0x7f],
      [MCR, 0x0f],
      [SCR, 0xff],
    ] as const) {
      uart.write(offset, 0xffff_ff00 | (offset === LCR ? 0x7f : offset === MCR ? 0xef : 0xff), 0);
      expect(uart.read(offset, 0)).toBe(kept);
    }
    uart.write(LSR, 0xff, 0);
    uart.write(MSR, 0xff, 0);
    expect([uart.read(LSR, 0), uart.read(MSR, 0)]).toEqual([0x60, 0xb0]);
  });

  it('are the divisor while DLAB is set, and nothing is sent or received by it', () => {
    const { uart, sent } = wired(bytesAt(0, 1));
    uart.write(LCR, 0x83, 0);
    uart.write(DATA, 0x34, 0);
    uart.write(IER, 0x12, 0);
    expect([uart.read(DATA, 0), uart.read(IER, 0)]).toEqual([0x34, 0x12]);
    uart.write(LCR, 0x03, 0);
    expect([uart.read(IER, 0), uart.read(DATA, 0), sent]).toEqual([0, 0x41, []]);
  });
});

describe('transmitting', () => {
  it('sends each byte at once, and is ready for the next', () => {
    const { uart, sent } = wired();
    for (const byte of [0x48, 0x69, 0x1ff]) uart.write(DATA, byte, 0);
    expect([sent, uart.read(LSR, 0)]).toEqual([[0x48, 0x69, 0xff], 0x60]);
  });
});

describe('receiving', () => {
  it('gives bytes in order from the cycle on at which they arrive', () => {
    const { uart } = wired([
      [10, 0x61],
      [20, 0x62],
    ]);
    expect([uart.read(LSR, 9), uart.read(DATA, 9)]).toEqual([0x60, 0]);
    expect([uart.read(LSR, 10), uart.read(DATA, 10), uart.read(LSR, 10)]).toEqual([0x61, 0x61, 0x60]);
    expect([uart.read(LSR, 25), uart.read(DATA, 25), uart.read(LSR, 25)]).toEqual([0x61, 0x62, 0x60]);
  });

  it.each([
    ['one byte without the FIFO', 0, 1],
    ['sixteen with it', 1, 16],
  ])('takes %s off the line, and leaves the others until there is room', (_, fifoControl, room) => {
    const { uart, line } = wired(bytesAt(0, 20));
    uart.write(FCR, 0, -1);
    uart.write(FCR, fifoControl, -1);
    uart.read(LSR, 0);
    expect(line.length).toBe(20 - room);
    const received: number[] = [];
    while ((uart.read(LSR, 0) & 1) !== 0) received.push(uart.read(DATA, 0));
    expect(received).toEqual(bytesAt(0, 20).map(([, byte]) => byte));
    expect(uart.read(LSR, 0) & 2).toBe(0);
  });

  it('loses what has arrived when the FIFO is reset, switched on or switched off', () => {
    for (const [before, reset] of [
      [1, 3],
      [0, 1],
      [1, 0],
    ] as const) {
      const { uart, line } = wired([...bytesAt(5, 1), [6, 0x7a]]);
      uart.write(FCR, before, 0);
      uart.write(FCR, reset, 5);
      expect([uart.read(LSR, 5), line.length]).toEqual([0x60, 1]);
      expect(uart.read(DATA, 6)).toBe(0x7a);
    }
  });

  it('keeps what has arrived when the FIFO stays as it is', () => {
    const { uart } = wired(bytesAt(0, 3));
    uart.write(FCR, 1, -1);
    uart.write(FCR, 0xc1, 0);
    expect([uart.read(DATA, 0), uart.read(DATA, 0), uart.read(DATA, 0)]).toEqual([0x41, 0x42, 0x43]);
  });
});

describe('IIR', () => {
  it('names the received data, timed out below the trigger level', () => {
    for (const [level, trigger] of [
      [0x00, 1],
      [0x40, 4],
      [0x80, 8],
      [0xc0, 14],
    ] as const) {
      for (const count of [0, 1, 3, 4, 7, 8, 13, 14, 16]) {
        const { uart } = wired(bytesAt(1, count));
        uart.write(FCR, 1 | level, 0);
        uart.write(IER, 1, 0);
        expect(uart.read(IIR, 1)).toBe(count === 0 ? 0xc1 : count >= trigger ? 0xc4 : 0xcc);
      }
    }
    const { uart } = wired(bytesAt(0, 1));
    expect(uart.read(IIR, 0)).toBe(0x01);
    uart.write(IER, 1, 0);
    expect(uart.read(IIR, 0)).toBe(0x04);
  });

  it('names the empty transmitter once for each byte, and for each write to IER', () => {
    const { uart } = wired();
    uart.write(IER, 2, 0);
    expect([uart.read(IIR, 0), uart.read(IIR, 0)]).toEqual([0x02, 0x01]);
    uart.write(DATA, 1, 0);
    expect([uart.read(IIR, 0), uart.read(IIR, 0)]).toEqual([0x02, 0x01]);
    uart.write(IER, 0, 0);
    expect(uart.read(IIR, 0)).toBe(0x01);
  });
});

describe('loopback', () => {
  it('receives what is transmitted, and nothing goes out or comes in', () => {
    const { uart, sent, line } = wired([[5, 0x7a]]);
    uart.write(FCR, 1, 0);
    uart.write(MCR, 0x10, 0);
    uart.write(DATA, 0x55, 5);
    expect([uart.read(LSR, 5), uart.read(DATA, 5), uart.read(LSR, 5)]).toEqual([0x61, 0x55, 0x60]);
    expect([sent, line.length]).toEqual([[], 1]);
    uart.write(MCR, 0, 5);
    expect(uart.read(DATA, 5)).toBe(0x7a);
  });

  it('reports an overrun once', () => {
    const { uart } = wired();
    uart.write(MCR, 0x10, 0);
    uart.write(IER, 4, 0);
    uart.write(DATA, 1, 0);
    uart.write(DATA, 2, 0);
    expect([uart.read(IIR, 0), uart.read(LSR, 0), uart.read(LSR, 0), uart.read(DATA, 0)]).toEqual([
      0x06, 0x63, 0x61, 1,
    ]);
    expect(uart.read(IIR, 0)).toBe(0x01);
  });

  it('gives the modem control outputs back as modem status', () => {
    const { uart } = wired();
    for (const [outputs, inputs] of [
      [0x1, 0x20],
      [0x2, 0x10],
      [0x4, 0x40],
      [0x8, 0x80],
      [0xf, 0xf0],
    ] as const) {
      uart.write(MCR, 0x10 | outputs, 0);
      expect(uart.read(MSR, 0)).toBe(inputs);
    }
  });
});

describe('a saved state', () => {
  const access = fc.record({
    write: fc.boolean(),
    offset: fc.integer({ min: 0, max: 7 }),
    value: fc.integer({ min: 0, max: 255 }),
  });

  it('gives its bytes in order to a UART that has received others before', () => {
    const saved = new Uint8Array(Uart.BYTES);
    const from = wired(bytesAt(1, 5));
    from.uart.write(FCR, 0x01, 0);
    from.uart.read(DATA, 1);
    from.uart.save(new StateWriter(saved));

    const used = wired(bytesAt(1, 3));
    used.uart.write(FCR, 0x01, 0);
    for (let byte = 0; byte < 3; byte += 1) used.uart.read(DATA, 1);
    used.uart.load(new StateReader(saved));
    expect(Array.from({ length: 5 }, () => used.uart.read(DATA, 0))).toEqual([0x42, 0x43, 0x44, 0x45, 0]);
  });

  it('goes on as it would have, after any accesses', () => {
    fc.assert(
      fc.property(fc.array(access), fc.array(access, { minLength: 1 }), (before, after) => {
        const input = Array.from({ length: 60 }, (_, index): [number, number] => [index, index]);
        const first = wired(input);
        const apply = (uart: Uart, accesses: typeof before, from: number): number[] =>
          accesses.map(({ write, offset, value }, index) => {
            if (!write) return uart.read(offset, from + index);
            uart.write(offset, value, from + index);
            return -1;
          });
        apply(first.uart, before, 0);
        const bytes = new Uint8Array(Uart.BYTES);
        const to = new StateWriter(bytes);
        first.uart.save(to);
        expect(to.position).toBe(Uart.BYTES);
        const second = wired(first.line);
        second.uart.load(new StateReader(bytes));
        expect(apply(second.uart, after, before.length)).toEqual(apply(first.uart, after, before.length));
        expect(first.sent.slice(first.sent.length - second.sent.length)).toEqual(second.sent);
        const [saved, savedAgain] = [first, second].map(({ uart }) => {
          const state = new Uint8Array(Uart.BYTES);
          uart.save(new StateWriter(state));
          return state;
        });
        expect(savedAgain).toEqual(saved);
      }),
    );
  });
});
