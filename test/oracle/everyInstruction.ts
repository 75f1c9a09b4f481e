import {
  CSR,
  type Assembler,
  type AtomicOperation,
  type BitOperation,
  type BitShift,
  type BranchOperation,
  type CsrOperation,
  type ImmediateOperation,
  type LoadOperation,
  type RegisterOperation,
  type ShiftOperation,
  type StoreOperation,
  type UnaryOperation,
} from '../../packages/hypervisor-embedded/test/assembler.js';
import { assembledElf } from '../../packages/hypervisor-embedded/test/guestFixtures.js';
import type { OracleGuest } from './guest.js';

/** Numbers at which arithmetic goes wrong, if it does. They stay in x5 to x20. */
const CORNERS = [
  0, 1, 2, 31, 0x7f, 0x80, 0x7fff, 0x8000, 0x1234_5678, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xaaaa_aaaa,
  0xffff_0000, 0xffff_fffe, 0xffff_ffff,
];
const VALUES = CORNERS.map((_, index) => `x${index + 5}`);
const FEW = VALUES.filter((_, index) => index % 2 === 0);
const RESULT = 'x21';
const POINTER = 'x22';
const RESUME = 'x23';
const KEEP_MACHINE = 'x24';
const SCRATCH = 'x25';

const RAM = 0x8000_0000;
/** QEMU lays its device tree into the last 2 MiB. */
const MEMORY_BYTES = 4 << 20;
const DATA = RAM + 0x8_0000;
const FINISHER = 0x0010_0000;
const MSIP = 0x0200_0000;
const SOFTWARE = 1 << 3;
const EXIT_CODE = 42;
const MPP = 0x1800;

const REGISTER: readonly RegisterOperation[] = [
  ...(['add', 'sub', 'sll', 'slt', 'sltu', 'xor', 'srl', 'sra', 'or', 'and'] as const),
  ...(['mul', 'mulh', 'mulhsu', 'mulhu', 'div', 'divu', 'rem', 'remu'] as const),
];
const IMMEDIATE: readonly ImmediateOperation[] = ['addi', 'slti', 'sltiu', 'xori', 'ori', 'andi'];
const SHIFTS: readonly ShiftOperation[] = ['slli', 'srli', 'srai'];
const BIT_OPERATIONS: readonly BitOperation[] = [
  ...(['sh1add', 'sh2add', 'sh3add', 'andn', 'orn', 'xnor', 'min', 'minu', 'max', 'maxu'] as const),
  ...(['rol', 'ror', 'bset', 'bclr', 'bext', 'binv'] as const),
];
const BIT_SHIFTS: readonly BitShift[] = ['rori', 'bseti', 'bclri', 'bexti', 'binvi'];
const UNARY: readonly UnaryOperation[] = [
  ...(['clz', 'ctz', 'cpop', 'sext.b', 'sext.h', 'zext.h', 'orc.b', 'rev8'] as const),
];
const BRANCHES: readonly BranchOperation[] = ['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'];
const LOADS: readonly LoadOperation[] = ['lb', 'lh', 'lw', 'lbu', 'lhu'];
const STORES: readonly StoreOperation[] = ['sb', 'sh', 'sw'];
const ATOMICS: readonly AtomicOperation[] = [
  ...(['amoswap', 'amoadd', 'amoxor', 'amoand', 'amoor'] as const),
  ...(['amomin', 'amomax', 'amominu', 'amomaxu'] as const),
];
const CSR_OPERATIONS: readonly CsrOperation[] = ['csrrw', 'csrrs', 'csrrc'];
/** Words that are no instruction of the hart; of no other extension either, since QEMU's hart has more of them. */
const ILLEGAL = [
  0, 0xffff_ffff, 0x0000_2063, 0x0000_3003, 0x4000_1033, 0x0000_705b, 0x3410_4073, 0xf140_1073,
];

/** C.EBREAK, and what is reserved, or of floating point or RV64, among the compressed instructions. */
const EBREAK_16 = 0x9002;
const ILLEGAL_16 = [
  0x0004, 0x8000, 0x2000, 0x6000, 0x6081, 0x6101, 0x9001, 0x9c01, 0x9c41, 0x1006, 0x4002, 0x8002, 0x2002,
  0xe002,
];

/**
 * A guest that executes every instruction of the hart, on numbers and addresses where it could go wrong, in machine
 * and in user mode, and takes every exception that it can. It switches itself off with code 42.
 */
export function everyInstruction(): OracleGuest {
  return { name: 'every instruction', elf: assembledElf(program), memoryBytes: MEMORY_BYTES };
}

function program(to: Assembler): void {
  to.jump('begin');
  handler(to.label('handler'));
  to.label('begin').li(SCRATCH, to.addressOf('handler')).csrw(CSR.mtvec, SCRATCH);
  CORNERS.forEach((value, index) => to.li(`x${index + 5}`, value));
  arithmetic(to);
  bitManipulation(to);
  compressed(to);
  branches(to);
  memory(to);
  atomics(to);
  controlRegisters(to);
  exceptions(to, 'machine');
  to.li(SCRATCH, 0xffff_ffff).csrw(CSR.pmpaddr0, SCRATCH).li(SCRATCH, 0x1f).csrw(CSR.pmpcfg0, SCRATCH);
  softwareInterrupt(to);
  enterUserMode(to);
  exceptions(to, 'user');
  to.addi(KEEP_MACHINE, 'zero', 1).ecall();
  to.li(SCRATCH, FINISHER)
    .li(RESULT, (EXIT_CODE << 16) | 0x3333)
    .store('sw', RESULT, SCRATCH);
}

/** Goes on behind an exception, or where RESUME says when there was no instruction to fetch. */
function handler(to: Assembler): void {
  to.csrr('x30', CSR.mcause).csrr('x31', CSR.mtval).csrr('x31', CSR.mstatus);
  to.branch('blt', 'x30', 'zero', 'interrupt')
    .csrr('x31', CSR.mepc)
    .addi('x31', 'x31', 4)
    .addi('x30', 'x30', -1);
  to.branch('bne', 'x30', 'zero', 'set').addi('x31', RESUME, 0);
  to.label('set').csrw(CSR.mepc, 'x31').branch('beq', KEEP_MACHINE, 'zero', 'return');
  to.li('x31', MPP).csr('csrrs', 'zero', CSR.mstatus, 'x31').label('return').mret();
  to.label('interrupt').li('x31', MSIP).store('sw', 'zero', 'x31').mret();
}

function arithmetic(to: Assembler): void {
  for (const operation of REGISTER) {
    for (const left of VALUES) for (const right of VALUES) to.op(operation, RESULT, left, right);
  }
  for (const value of VALUES) {
    for (const operation of IMMEDIATE) {
      for (const immediate of [0, 1, -1, 2047, -2048]) to.imm(operation, RESULT, value, immediate);
    }
    for (const operation of SHIFTS) {
      for (const amount of [0, 1, 15, 31]) to.shift(operation, RESULT, value, amount);
    }
  }
  to.lui(RESULT, 0xfffff).auipc(RESULT, 0xfffff).auipc('zero', 1).fence().fenceI();
}

function bitManipulation(to: Assembler): void {
  for (const operation of BIT_OPERATIONS) {
    for (const left of VALUES) for (const right of VALUES) to.bits(operation, RESULT, left, right);
  }
  for (const value of VALUES) {
    for (const operation of UNARY) to.unary(operation, RESULT, value);
    for (const operation of BIT_SHIFTS) {
      for (const amount of [0, 1, 15, 31]) to.bitShift(operation, RESULT, value, amount);
    }
  }
}

/**
 * Each compressed instruction: those that compute, on x8 to x15, which hold corner cases; loads and stores; and each
 * jump, over an instruction that it must not execute. What x8 to x15 held is put back.
 */
function compressed(to: Assembler): void {
  const [a, b] = [2, 5]; // x10 and x13, as three bits.
  to.half(0x0001, (a << 10) | 1);
  for (let low = 8; low < 16; low += 1) {
    const short = low - 8;
    const [immediate, shift] = [(low << 7) | (0x15 << 2), (short << 7) | (0x0d << 2)];
    to.half(0x0001 | immediate, 0x1001 | immediate); // c.addi 21, -11
    to.half(0x8801 | shift, 0x9801 | shift); // c.andi 13, -19
    to.half(0x8001 | shift, 0x8401 | shift, 0x0002 | (low << 7) | (7 << 2)); // c.srli, c.srai, c.slli
    for (const operation of [0, 1, 2, 3]) to.half(0x8c01 | (short << 7) | (operation << 5) | (a << 2)); // c.sub …
    to.half(0x8002 | (low << 7) | (20 << 2), 0x9002 | (low << 7) | (19 << 2)); // c.mv x20, c.add x19
    to.half(0x4001 | immediate, 0x5001 | immediate, 0x6001 | immediate, 0x7001 | immediate); // c.li, c.lui
  }
  CORNERS.forEach((value, index) => to.li(`x${index + 5}`, value));
  // The stack pointer, in steps of 16 and from C.ADDI4SPN.
  to.li('x2', DATA).half(0x6105, 0x717d, 0x1028, 0x1fe8); // c.addi16sp 32, -16; c.addi4spn x10 40, 1020
  to.li('x2', DATA).li('x10', DATA).li('x13', 0x1234_5678);
  to.half(0xc000 | (a << 7) | (b << 2), 0x4000 | (a << 7) | (b << 2)); // c.sw, c.lw
  to.half(0xd000 | (a << 7) | (b << 2), 0x5000 | (a << 7) | (b << 2)); // with offset 32
  to.half(0xc036, 0x4692, 0xdfb6, 0x56fe); // c.swsp x13; c.lwsp x13 from 4; c.swsp at 252; c.lwsp from 252
  // Jumps over c.addi x21, 1.
  const over = 0x0a85;
  to.half(0xa011, over, 0x2011, over); // c.j, c.jal
  for (const value of [0, 1]) {
    to.li('x13', value).half(0xc291, over, 0x0001, 0xe291, over, 0x0001); // c.beqz, c.bnez x13
  }
  to.half(0x0001).auipc('x10', 0).addi('x10', 'x10', 12).half(0x8502, over, 0x0001); // c.jr
  to.half(0x0001).auipc('x10', 0).addi('x10', 'x10', 12).half(0x9502, over, 0x0001); // c.jalr
  // Instructions of 32 bits at odd half words; then even again.
  to.half(0x0001)
    .op('add', RESULT, 'x12', 'x13')
    .load('lw', RESULT, 'x2')
    .branch('beq', 'x0', 'x0', 6)
    .half(over);
  to.jal(RESULT, 6).half(over, 0x0001);
  CORNERS.forEach((value, index) => to.li(`x${index + 5}`, value));
}

function branches(to: Assembler): void {
  for (const operation of BRANCHES) {
    for (const left of FEW) {
      for (const right of FEW) to.branch(operation, left, right, 8).addi(RESULT, RESULT, 1);
    }
  }
  to.jal(RESULT, 8).nop().auipc(SCRATCH, 0).jalr(SCRATCH, SCRATCH, 13).nop();
}

function memory(to: Assembler): void {
  to.li(POINTER, DATA);
  VALUES.forEach((value, index) => to.store('sw', value, POINTER, 4 * index));
  for (const operation of LOADS) {
    for (let offset = 0; offset < 64; offset += 3) to.load(operation, RESULT, POINTER, offset);
  }
  // Across the border of two pages, with negative offsets too.
  for (const operation of STORES) {
    for (let offset = -5; offset < 6; offset += 1) {
      to.store(operation, 'x13', POINTER, offset).load('lw', RESULT, POINTER, offset & ~3);
    }
  }
}

function atomics(to: Assembler): void {
  for (const operation of ATOMICS) {
    for (const left of FEW) {
      for (const right of VALUES) {
        to.store('sw', left, POINTER).atomic(operation, RESULT, right, POINTER).load('lw', RESULT, POINTER);
      }
    }
  }
  to.atomic('lr', RESULT, 'zero', POINTER).atomic('sc', RESULT, 'x14', POINTER).load('lw', RESULT, POINTER);
  to.atomic('sc', RESULT, 'x13', POINTER).load('lw', RESULT, POINTER); // No reservation any more.
  to.addi(SCRATCH, POINTER, 8).atomic('lr', RESULT, 'zero', POINTER).atomic('sc', RESULT, 'x13', SCRATCH);
  to.atomic('sc', RESULT, 'x13', POINTER).load('lw', RESULT, SCRATCH);
}

function controlRegisters(to: Assembler): void {
  for (const register of [CSR.mscratch, CSR.mepc, CSR.mcause, CSR.mtval]) {
    for (const operation of CSR_OPERATIONS) {
      for (const value of VALUES) {
        // QEMU keeps bit 0 of mepc, which the specification says is always 0.
        if (register === CSR.mepc && (CORNERS[VALUES.indexOf(value)] ?? 0) % 2 !== 0) continue;
        to.csr(operation, RESULT, register, value);
      }
      to.csrImmediate(operation, RESULT, register, 20).csr(operation, RESULT, register, 'zero');
    }
  }
  for (const bits of [0x888, 0x080, 0]) to.li(SCRATCH, bits).csr('csrrw', RESULT, CSR.mie, SCRATCH);
  // MIE, MPIE, MPRV and TW, each set and cleared, with MPP left at machine mode.
  for (const bit of [3, 7, 17, 21]) {
    to.li(SCRATCH, 1 << bit)
      .csr('csrrs', 'zero', CSR.mstatus, SCRATCH)
      .csr('csrrc', 'zero', CSR.mstatus, SCRATCH);
  }
  for (const bits of [7, 2, 0]) to.csrImmediate('csrrw', 'zero', CSR.mcounteren, bits);
  to.csrr(RESULT, CSR.mhartid).csrr(RESULT, CSR.cycle).csrr(RESULT, CSR.time).csrr(RESULT, CSR.instret);
}

/** Every exception that the hart can take in a mode. Interrupts stay off. */
function exceptions(to: Assembler, mode: 'machine' | 'user'): void {
  to.ecall()
    .ebreak()
    .word(...ILLEGAL);
  // The handler goes on four bytes behind each.
  for (const half of [EBREAK_16, ...ILLEGAL_16]) to.half(half, 0x0001);
  // Where nothing is, on either board: beyond RAM and in a hole.
  for (const address of [RAM + MEMORY_BYTES, 0x1800_0000]) {
    to.li(SCRATCH, address).load('lw', RESULT, SCRATCH).store('sw', RESULT, SCRATCH);
    to.atomic('lr', RESULT, 'zero', SCRATCH).atomic('amoadd', RESULT, 'x6', SCRATCH);
    to.auipc(RESUME, 0).addi(RESUME, RESUME, 12).jalr('zero', SCRATCH);
  }
  for (const offset of [1, 2, 3]) {
    // No SC: without a reservation QEMU does not look at its address.
    to.li(SCRATCH, DATA + offset)
      .atomic('lr', RESULT, 'zero', SCRATCH)
      .atomic('amoswap', RESULT, 'x6', SCRATCH);
  }
  if (mode === 'user') to.mret().csrr(RESULT, CSR.mstatus).csrw(CSR.mscratch, RESULT).csrr(RESULT, CSR.cycle);
}

function softwareInterrupt(to: Assembler): void {
  to.li(SCRATCH, SOFTWARE).csrw(CSR.mie, SCRATCH).li(SCRATCH, MSIP).store('sw', 'x6', SCRATCH);
  to.load('lw', RESULT, SCRATCH).csrImmediate('csrrs', 'zero', CSR.mstatus, SOFTWARE).nop();
  to.load('lw', RESULT, SCRATCH).csrImmediate('csrrc', 'zero', CSR.mstatus, SOFTWARE);
  to.store('sw', 'x6', SCRATCH).wfi().store('sw', 'zero', SCRATCH);
}

function enterUserMode(to: Assembler): void {
  to.li(SCRATCH, MPP).csr('csrrc', 'zero', CSR.mstatus, SCRATCH).auipc(SCRATCH, 0).addi(SCRATCH, SCRATCH, 16);
  to.csrw(CSR.mepc, SCRATCH).mret();
}
