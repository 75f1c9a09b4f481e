import { readGuest } from '@rmk/guests';
import { describe, expect, it } from 'vitest';
import { EmbeddedHypervisor } from '../src/embeddedHypervisor.js';
import { CSR } from './assembler.js';
import { assembled, NOTES, outcomeOf, type Booted, type Program } from './guestFixtures.js';

const RAM = 0x8000_0000;
const MS = 1e6;
const TASK = NOTES;

/** A kernel that names its task at NOTES, and has two of them; each runs for 1 ms at the trap of ECALL, or at once. */
const switches =
  (by: 'trap' | 'store'): Program =>
  (to) => {
    to.li('t0', TASK)
      .li('t1', RAM + 0x200)
      .csrw(CSR.mtvec, 't1')
      .li('s0', 50_000);
    to.label('task')
      .addi('t2', 's0', 0)
      .label('work')
      .addi('t2', 't2', -1)
      .branch('bne', 't2', 'zero', 'work');
    if (by === 'trap') to.ecall();
    else to.load('lw', 't3', 't0').addi('t3', 't3', 0x40).store('sw', 't3', 't0');
    to.jump('task');
    while (to.here < RAM + 0x200) to.word(0);
    to.load('lw', 't3', 't0').imm('xori', 't3', 't3', 0x40).store('sw', 't3', 't0');
    to.csrr('t4', CSR.mepc).addi('t4', 't4', 4).csrw(CSR.mepc, 't4').mret();
  };

/** Domain times of the context switches that slices report. */
function switchesOf({ machine }: Booted): number[] {
  const times: number[] = [];
  machine.observe('scheduled', ({ progress }) => {
    times.push(...progress.filter(({ sign }) => sign === 'context-switch').map(({ atNs }) => atNs));
  });
  return times;
}

describe('a kernel that does not keep its current task in mscratch', () => {
  it('gives no sign of a context switch', async () => {
    const booted = assembled(switches('trap'));
    const times = switchesOf(booted);
    await booted.hypervisor.run({ untilNs: 50 * MS });
    expect(times).toEqual([]);
  });

  it('gives one where its variable is named, at the return from the trap that switched', async () => {
    const booted = assembled(switches('trap'), { contextSwitch: { address: TASK } });
    const times = switchesOf(booted);
    await booted.hypervisor.run({ untilNs: 50 * MS });
    // A turn of 100 000 instructions and some takes a little more than a millisecond.
    expect(times).toHaveLength(5);
    times.forEach((at, slice) => expect(Math.abs(at - (slice + 0.95) * 10 * MS)).toBeLessThan(MS));
  });

  it('gives one at the end of the slice where it switches without a trap', async () => {
    const booted = assembled(switches('store'), { contextSwitch: { address: TASK } });
    const times = switchesOf(booted);
    await booted.hypervisor.run({ untilNs: 35 * MS });
    expect(times).toEqual([10 * MS, 20 * MS, 30 * MS]);
  });

  it('gives none for what a rollback puts back', async () => {
    const booted = assembled(switches('trap'), { contextSwitch: { address: TASK } });
    const { machine, hypervisor } = booted;
    const plan = { preSave: 'none' } as const;
    await hypervisor.run({ untilNs: 0.5 * MS });
    const { context, log } = await machine.checkpoint(plan);
    await hypervisor.run({ untilNs: 1.5 * MS });
    await machine.suspend();
    await machine.rollback({ context, logs: [log] }, plan);
    await machine.write(RAM + 20 * 4, Uint8Array.of(0x6f, 0, 0, 0)); // an endless loop, wherever it is
    await machine.writeRegister('pc', BigInt(RAM + 20 * 4));
    await machine.resume();
    const times = switchesOf(booted);
    await hypervisor.run({ untilNs: 30 * MS });
    expect(times).toEqual([]);
  });

  it('does the same, whether it is watched or not', async () => {
    const [watched, unwatched] = [{ contextSwitch: { address: TASK } }, {}].map((options) =>
      assembled(switches('trap'), options),
    );
    for (const booted of [watched, unwatched]) await booted?.hypervisor.run({ untilNs: 20 * MS });
    expect(watched && outcomeOf(watched.machine)).toEqual(unwatched && outcomeOf(unwatched.machine));
  });
});

describe('the current task by name', () => {
  const make = (
    contextSwitch: NonNullable<Parameters<EmbeddedHypervisor['createMachine']>[0]['contextSwitch']>,
  ) => new EmbeddedHypervisor().createMachine({ name: 'tasks', elf: readGuest('tasks'), contextSwitch });

  it('is a symbol of the ELF', () => {
    expect(make({ symbol: 'boot_context' }).name).toBe('tasks');
    expect(make({ symbol: 'boot_context', offset: 8 }).name).toBe('tasks');
  });

  it.each([
    [
      { symbol: 'pxCurrentTCB' },
      /contextSwitch\.symbol: .* has no symbol "pxCurrentTCB": check its spelling/,
    ],
    [{ symbol: 'boot_context', offset: 2 }, /contextSwitch: 0x[0-9a-f]+ is no aligned word of RAM/],
    [{ address: 0x1000 }, /contextSwitch: 0x1000 is no aligned word of RAM/],
    [{ symbol: '' }, /contextSwitch\.symbol: /],
  ])('is refused with its path: %o', (contextSwitch, message) => {
    expect(() => make(contextSwitch)).toThrow(/^RMK_ERR_INPUT: /);
    expect(() => make(contextSwitch)).toThrow(message);
  });
});
