import { bootFile, readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '../src/embeddedHypervisor.js';
import type { EmbeddedMachine } from '../src/embeddedMachine.js';
import type { HypervisorOptions, MachineOptions } from '../src/machineOptions.js';
import { Assembler, CSR } from './assembler.js';

const RAM = 0x8000_0000;
const UART_DATA = 0x1000_0000;
const FINISHER = 0x0010_0000;
const MTIMECMP = 0x0200_4000;
const MTIME = 0x0200_bff8;
const MEBIBYTE = 1 << 20;
const MIE_TIMER = 0x80;
const MSTATUS_MIE = 8;

/** Where the guests here keep what they note down. */
export const NOTES = RAM + 0x8000;
/** Nanoseconds of one cycle at the frequency that is the default. */
export const CYCLE_NS = 10;

export type Program = (program: Assembler) => void;

/** An ELF of one segment that is all of the program, and starts at its beginning. */
export function assembledElf(build: Program): Uint8Array {
  const program = new Assembler(RAM);
  build(program);
  const code = new Uint8Array(program.words().buffer);
  const bytes = new Uint8Array(84 + code.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const header16: readonly (readonly [number, number])[] = [
    [16, 2], // executable
    [18, 243], // RISC-V
    [40, 52],
    [42, 32],
    [44, 1],
  ];
  const header32: readonly (readonly [number, number])[] = [
    [20, 1],
    [24, RAM],
    [28, 52],
    [52, 1], // loadable
    [56, 84],
    [60, RAM],
    [64, RAM],
    [68, code.length],
    [72, code.length],
  ];
  for (const [at, value] of header16) view.setUint16(at, value, true);
  for (const [at, value] of header32) view.setUint32(at, value, true);
  bytes.set(code, 84);
  return bytes;
}

export interface Booted {
  readonly hypervisor: EmbeddedHypervisor;
  readonly machine: EmbeddedMachine;
}

/** A VM with an assembled guest, alone on its hypervisor. */
export function assembled(
  build: Program,
  options: Partial<MachineOptions> = {},
  hypervisorOptions: HypervisorOptions = {},
): Booted {
  const hypervisor = new EmbeddedHypervisor(hypervisorOptions);
  const machine = hypervisor.createMachine({
    name: 'vm',
    elf: assembledElf(build),
    memoryBytes: 32 * 4096,
    ...options,
  });
  return { hypervisor, machine };
}

/** Jumps to itself. */
export const spins: Program = (program) => program.label('here').jump('here');

/** Counts in memory: a word in each of eight pages in turn, the count of all stores in a register (s0). */
export const stores: Program = (program) =>
  program
    .li('t0', RAM + 0x10000)
    .li('t2', RAM + 0x18000)
    .label('begin')
    .addi('t1', 't0', 0)
    .label('next')
    .addi('s0', 's0', 1)
    .store('sw', 's0', 't1', 0)
    .li('t3', 4096)
    .op('add', 't1', 't1', 't3')
    .branch('bltu', 't1', 't2', 'next')
    .jump('begin');

/** Waits with all interrupts disabled, forever. */
export const halts: Program = (program) => program.label('here').wfi().jump('here');

/** Switches itself off with a code, after so many instructions at least. */
export function exits(code: number, after = 0): Program {
  return (program) =>
    program
      .li('t0', after)
      .label('count')
      .addi('t0', 't0', -2)
      .branch('bge', 't0', 'zero', 'count')
      .li('t1', FINISHER)
      .li('t2', code === 0 ? 0x5555 : (code << 16) | 0x3333)
      .store('sw', 't2', 't1', 0)
      .label('here')
      .jump('here');
}

/** Wakes up each `ticks` (of 100 ns), counts it in s1, puts out a dot, and waits again. */
export function sleeps(ticks: number): Program {
  return (program) => {
    program
      .li('s2', MTIMECMP)
      .li('s3', MTIME)
      .li('s4', UART_DATA)
      .li('t0', '.'.charCodeAt(0))
      .li('s5', ticks)
      .store('sw', 'zero', 's2', 4)
      .load('lw', 's6', 's3', 0)
      .op('add', 's6', 's6', 's5')
      .store('sw', 's6', 's2', 0)
      .li('t1', MIE_TIMER)
      .csrw(CSR.mie, 't1')
      .li('t1', RAM + 0x200)
      .csrw(CSR.mtvec, 't1')
      .csrImmediate('csrrs', 'zero', CSR.mstatus, MSTATUS_MIE)
      .label('wait')
      .wfi()
      .jump('wait');
    while (program.here < RAM + 0x200) program.word(0);
    program
      .addi('s1', 's1', 1)
      .store('sb', 't0', 's4', 0)
      .op('add', 's6', 's6', 's5')
      .store('sw', 's6', 's2', 0)
      .mret();
  };
}

/** Echoes what the UART receives, notes each byte with the low word of mtime, and switches itself off after a 'q'. */
export const echoes: Program = (program) =>
  program
    .li('s0', UART_DATA)
    .li('s1', NOTES)
    .li('s2', MTIME)
    .li('s3', 'q'.charCodeAt(0))
    .label('poll')
    .load('lbu', 't0', 's0', 5)
    .imm('andi', 't0', 't0', 1)
    .branch('beq', 't0', 'zero', 'poll')
    .load('lbu', 't1', 's0', 0)
    .load('lw', 't2', 's2', 0)
    .store('sw', 't1', 's1', 0)
    .store('sw', 't2', 's1', 4)
    .addi('s1', 's1', 8)
    .store('sb', 't1', 's0', 0)
    .branch('bne', 't1', 's3', 'poll')
    .li('t0', FINISHER)
    .li('t1', 0x5555)
    .store('sw', 't1', 't0', 0);

/** Adds to a word with LR and SC, again and again; s0 counts the additions, s1 those that had to be repeated. */
export const locks: Program = (program) =>
  program
    .li('t0', NOTES)
    .label('add')
    .atomic('lr', 't1', 'zero', 't0')
    .addi('t1', 't1', 1)
    .atomic('sc', 't2', 't1', 't0')
    .branch('bne', 't2', 'zero', 'again')
    .addi('s0', 's0', 1)
    .jump('add')
    .label('again')
    .addi('s1', 's1', 1)
    .jump('add');

/** A guest of RMK. Its heap grows upwards from the program, so it does with less memory than it may use. */
export function tasks(name = 'tasks'): MachineOptions {
  return { name, elf: readGuest('tasks'), memoryBytes: 2 * MEBIBYTE };
}

/** The compressor with a file of so many bytes that compress to about half. */
export function compressor(bytes: number, name = 'compressor'): MachineOptions {
  const file = new Uint8Array(bytes).map((_, index) => ((index * index) >>> 7) ^ (index >>> 3));
  return {
    name,
    elf: readGuest('compressor'),
    memoryBytes: 17 * MEBIBYTE,
    bootData: [bootFile(file, 'the file of the test')],
  };
}

/** What a run came to; equal for two runs that a guest cannot tell apart. */
export interface Outcome {
  readonly memory: string;
  readonly context: string;
  readonly output: string;
  readonly instructions: number;
  readonly exitCode: number | undefined;
}

export function outcomeOf(machine: EmbeddedMachine): Outcome {
  return {
    ...machine.digest(),
    output: new TextDecoder().decode(machine.committedOutput),
    instructions: machine.instructions,
    exitCode: machine.exitCode,
  };
}
