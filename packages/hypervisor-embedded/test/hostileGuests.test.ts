import { describe, expect, it } from 'vitest';
import type { EmbeddedMachine } from '../src/embeddedMachine.js';
import type { Assembler } from './assembler.js';
import { CSR } from './assembler.js';
import { assembled, exits, type Program } from './guestFixtures.js';

const MS = 1e6;
const RAM = 0x8000_0000;
const UART = 0x1000_0000;
const MTIMECMP = 0x0200_4000;
const MSIP = 0x0200_0000;
const FINISHER = 0x0010_0000;
const PAGE = 4096;
const PAGES = 64;
const OUTPUT_BYTES = 3000;

/** A loop over some instructions. */
function forEver(body: Program, before: Program = () => {}): Program {
  return (program) => {
    before(program);
    program.label('again');
    body(program);
    program.jump('again');
  };
}

const pointers = (program: Assembler): Assembler =>
  program
    .li('s0', UART)
    .li('s1', MTIMECMP)
    .li('s2', MSIP)
    .li('s3', FINISHER)
    .li('s4', RAM + PAGE);

/** All machine interrupts on, with a handler that does nothing about them. */
const interrupted: Program = (program) => {
  pointers(program)
    .li('t0', RAM + 4)
    .csrw(CSR.mtvec, 't0')
    .li('t0', 0x888)
    .csrw(CSR.mie, 't0');
};

/** What a guest can do without end, and what would grow with it if anything did. */
const HOSTILE: readonly (readonly [string, Program])[] = [
  ['output without end', forEver((to) => to.store('sb', 's0', 's0'), pointers)],
  [
    'loopback that nobody reads',
    forEver(
      (to) => to.store('sb', 's0', 's0'),
      (to) => pointers(to).li('t0', 0x10).store('sb', 't0', 's0', 4),
    ),
  ],
  ['traps without end, to where nothing is', (program) => program.word(0)],
  [
    'traps without end, in its own handler',
    (program) =>
      program
        .li('t0', RAM + 12)
        .csrw(CSR.mtvec, 't0')
        .ecall(),
  ],
  [
    'each kind of trap in turn',
    forEver(
      (to) =>
        to
          .ecall()
          .ebreak()
          .word(0)
          .load('lw', 't1', 'zero', 1)
          .store('sw', 't1', 'zero', 2)
          .atomic('lr', 't1', 'zero', 'sp'),
      (to) => {
        const start = to.here;
        to.jump('begin');
        to.csrr('t6', CSR.mepc).addi('t6', 't6', 4).csrw(CSR.mepc, 't6').mret();
        to.label('begin')
          .li('sp', RAM + 1)
          .li('t0', start + 4)
          .csrw(CSR.mtvec, 't0');
      },
    ),
  ],
  [
    'a trap handler that traps for an interrupt that never ends',
    (program) => {
      interrupted(program);
      program
        .store('sw', 's4', 's2')
        .csrImmediate('csrrs', 'zero', CSR.mstatus, 8)
        .label('here')
        .jump('here');
    },
  ],
  [
    'timers without end',
    forEver((to) => to.addi('t0', 't0', 1).store('sw', 't0', 's1').store('sw', 't0', 's1', 4), interrupted),
  ],
  [
    'timers in the past and waits for them',
    forEver((to) => to.store('sw', 'zero', 's1').store('sw', 'zero', 's1', 4).wfi(), interrupted),
  ],
  [
    'a context switch with each instruction',
    forEver((to) => to.addi('t0', 't0', 1).csrw(CSR.mscratch, 't0'), pointers),
  ],
  [
    'values that the finisher does not know',
    forEver((to) => to.addi('t0', 't0', 2).store('sw', 't0', 's3', 4), pointers),
  ],
  [
    'a store into each page, again and again',
    forEver((to) => {
      to.li('t1', RAM + PAGE)
        .li('t2', RAM + PAGES * PAGE)
        .li('t3', PAGE)
        .addi('t0', 't0', 1)
        .label('next');
      to.store('sw', 't0', 't1').op('add', 't1', 't1', 't3').branch('bltu', 't1', 't2', 'next');
    }, pointers),
  ],
  [
    'reads of its UART without end',
    forEver((to) => to.load('lbu', 't0', 's0').load('lbu', 't0', 's0', 2), pointers),
  ],
  [
    'LR without SC',
    forEver(
      (to) =>
        to
          .atomic('lr', 't0', 'zero', 's4')
          .addi('s4', 's4', 4)
          .li('t1', RAM + PAGES * PAGE - 4)
          .op('and', 's4', 's4', 't1'),
      pointers,
    ),
  ],
];

/**
 * How much is kept by an object and everything that it leads to: bytes of buffers, elements of collections, characters
 * of texts, and one for each object. Counts what is there, so it depends on no garbage collector.
 */
function kept(root: object): number {
  const seen = new Set<object>();
  const open: unknown[] = [root];
  let sum = 0;
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') sum += value.length;
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    sum += 1;
    if (ArrayBuffer.isView(value)) {
      open.push(value.buffer);
    } else if (value instanceof ArrayBuffer) {
      sum += value.byteLength;
    } else {
      if (value instanceof Map) open.push(...value.keys(), ...value.values());
      if (value instanceof Set) open.push(...value);
      open.push(...Object.values(value));
      sum += Object.keys(value).length;
    }
  }
  return sum;
}

/** Counts the facts that observers get, and the bytes of these, since the last `take()`. */
function observed(machine: EmbeddedMachine): { take(): { facts: number; bytes: number } } {
  let facts = 0;
  let bytes = 0;
  for (const fact of ['scheduled', 'loglost', 'exited', 'output', 'pagefault'] as const) {
    machine.observe(fact, (what) => {
      facts += 1;
      bytes += kept(what);
    });
  }
  return {
    take: () => {
      const taken = { facts, bytes };
      facts = 0;
      bytes = 0;
      return taken;
    },
  };
}

const SLICE_MS = 1;
/** A guest outputs at most a byte a cycle, and facts report the output of one slice. */
const SLICE_CYCLES = 100_000;
const options = { memoryBytes: PAGES * PAGE, logPages: 4, outputBytes: OUTPUT_BYTES };

describe('a hostile guest', () => {
  it.each(HOSTILE)(
    '%s: keeps no more of the host than it had, and runs to the end of each slice',
    async (_, program) => {
      const { hypervisor, machine } = assembled(program, options, { slice: `${SLICE_MS}ms` });
      const observer = observed(machine);
      await hypervisor.run({ untilNs: 2 * MS });
      const before = kept(machine);
      observer.take();
      for (let ms = 3; ms <= 8; ms += 1) {
        await hypervisor.run({ untilNs: ms * MS });
        expect(machine.clock.now()).toBe(ms * MS);
        const { facts, bytes } = observer.take();
        expect(facts).toBeLessThanOrEqual(4);
        expect(bytes).toBeLessThan(SLICE_CYCLES);
      }
      expect(kept(machine)).toBe(before);
      expect(machine.committedOutput.length).toBeLessThanOrEqual(OUTPUT_BYTES);
      expect(machine.wireOutput.length).toBeLessThanOrEqual(OUTPUT_BYTES);
      await hypervisor.close();
    },
  );

  it.each(HOSTILE)(
    '%s: nor under checkpoints and rollbacks, with a log area that fills up',
    async (_, program) => {
      const { hypervisor, machine } = assembled(program, options, { slice: `${SLICE_MS}ms` });
      const sizes: number[] = [];
      for (let ms = 1; ms <= 12; ms += 1) {
        const { context, log } = await machine.checkpoint({ preSave: 'none' });
        await hypervisor.run({ untilNs: ms * MS });
        if (ms % 3 === 0) {
          await machine.suspend();
          // Once the logs are lost, a rollback is rejected.
          await machine.rollback({ context, logs: [log] }, { preSave: 'none' }).catch((error: unknown) => {
            expect(error).toMatchObject({ code: 'RMK_ERR_RELEASED' });
          });
          await machine.resume();
        }
        log.release();
        if (ms % 3 === 0) sizes.push(kept(machine));
      }
      expect(sizes.slice(2)).toEqual([sizes[1], sizes[1]]);
      await hypervisor.close();
    },
  );

  it('writes every page with a full log area: the loss of the logs is reported once, and nothing is kept', async () => {
    const everyPage =
      HOSTILE.find(([name]) => name === 'a store into each page, again and again')?.[1] ?? exits(1);
    const { hypervisor, machine } = assembled(everyPage, options);
    const lost: string[] = [];
    const frames: number[] = [];
    machine.observe('loglost', ({ reason }) => lost.push(reason));
    machine.observe('pagefault', (fact) => frames.push(...fact.frames));
    const { log } = await machine.checkpoint({ preSave: 'none' });
    await hypervisor.run({ untilNs: 5 * MS });
    expect(lost).toEqual([expect.stringContaining('the log area of 4 pages is full')]);
    expect(frames.length).toBeLessThanOrEqual(4);
    expect(log.pages).toBeLessThanOrEqual(4);
    await hypervisor.close();
  });

  it('that switches itself off again and again is reported once, and is off', async () => {
    const spam = forEver(
      (to) => to.store('sw', 't1', 's3').addi('t0', 't0', 1),
      (to) => pointers(to).li('t1', 0x5555),
    );
    const { hypervisor, machine } = assembled(spam, options);
    const codes: number[] = [];
    machine.observe('exited', ({ code }) => codes.push(code));
    for (let ms = 1; ms <= 3; ms += 1) await hypervisor.run({ untilNs: ms * MS });
    expect([codes, machine.exitCode, await machine.readRegister('t0')]).toEqual([[0], 0, 0n]);
    await hypervisor.close();
  });
});
