import { RAM_BASE } from '@rmk/hypervisor-embedded';

const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const EXECUTABLE = 2;
const RISCV = 243;
const LOAD = 1;

/** An ELF of nothing but these instructions, at the beginning of RAM. */
function executable(instructions: readonly number[]): Uint8Array {
  const offset = HEADER_BYTES + PROGRAM_HEADER_BYTES;
  const bytes = instructions.length * 4;
  const file = new Uint8Array(offset + bytes);
  const view = new DataView(file.buffer);
  const words = (at: number, ...values: readonly number[]): void =>
    values.forEach((value, index) => view.setUint32(at + 4 * index, value, true));
  const halves = (at: number, ...values: readonly number[]): void =>
    values.forEach((value, index) => view.setUint16(at + 2 * index, value, true));
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  halves(16, EXECUTABLE, RISCV);
  words(20, 1, RAM_BASE, HEADER_BYTES, 0, 0);
  halves(40, HEADER_BYTES, PROGRAM_HEADER_BYTES, 1);
  words(HEADER_BYTES, LOAD, offset, RAM_BASE, RAM_BASE, bytes, bytes, 5, 4);
  words(offset, ...instructions);
  return file;
}

/** Counts in the word at 0x80001000, forever. */
export const COUNTS = executable([
  0x8000_12b7, //    lui  t0, 0x80001
  0x0002_a303, // 1: lw   t1, 0(t0)
  0x0013_0313, //    addi t1, t1, 1
  0x0062_a023, //    sw   t1, 0(t0)
  0xff5f_f06f, //    j    1b
]);

/** Puts out what it gets, and switches itself off after a line feed. */
export const ECHO = executable([
  0x1000_02b7, //    lui  t0, 0x10000    the UART
  0x0052_c303, // 1: lbu  t1, 5(t0)
  0x0013_7313, //    andi t1, t1, 1
  0xfe03_0ce3, //    beqz t1, 1b
  0x0002_c303, //    lbu  t1, 0(t0)
  0x0062_8023, //    sb   t1, 0(t0)
  0xff63_0313, //    addi t1, t1, -'\n'
  0xfe03_14e3, //    bnez t1, 1b
  0x0010_03b7, //    lui  t2, 0x100      the test finisher
  0x0000_5e37, //    li   t3, 0x5555
  0x555e_0e13,
  0x01c3_a023, //    sw   t3, 0(t2)
  0x0000_006f, // 2: j    2b
]);

/** Puts out a byte that is no UTF-8, and waits for what cannot come. */
export const WAIT = executable([
  0x1000_02b7, //    lui  t0, 0x10000
  0x0ff0_0313, //    li   t1, 0xff
  0x0062_8023, //    sb   t1, 0(t0)
  0x1050_0073, // 1: wfi
  0xffdf_f06f, //    j    1b
]);
