import { EXPANDED } from '../../packages/hypervisor-embedded/src/hart/compressed.js';

export const SYSTEM = 0x73;
export const LOAD = 0x03;
export const AMO = 0x2f;
export const WFI = 0x1050_0073;
const MRET = 0x3020_0073;
const BRANCH = 0x63;
const JALR = 0x67;
const JAL = 0x6f;

const BRANCHES = ['beq', 'bne', undefined, undefined, 'blt', 'bge', 'bltu', 'bgeu'];
const LOADS = ['lb', 'lh', 'lw', undefined, 'lbu', 'lhu'];
const STORES = ['sb', 'sh', 'sw'];
const IMMEDIATE = ['addi', 'slli', 'slti', 'sltiu', 'xori', 'srli', 'ori', 'andi'];
const REGISTER = ['add', 'sll', 'slt', 'sltu', 'xor', 'srl', 'or', 'and'];
const MULTIPLY = ['mul', 'mulh', 'mulhsu', 'mulhu', 'div', 'divu', 'rem', 'remu'];
const CSR = [undefined, 'csrrw', 'csrrs', 'csrrc', undefined, 'csrrwi', 'csrrsi', 'csrrci'];
const ATOMIC: ReadonlyMap<number, string> = new Map([
  [0b00000, 'amoadd.w'],
  [0b00001, 'amoswap.w'],
  [0b00010, 'lr.w'],
  [0b00011, 'sc.w'],
  [0b00100, 'amoxor.w'],
  [0b01000, 'amoor.w'],
  [0b01100, 'amoand.w'],
  [0b10000, 'amomin.w'],
  [0b10100, 'amomax.w'],
  [0b11000, 'amominu.w'],
  [0b11100, 'amomaxu.w'],
]);
const PRIVILEGED: ReadonlyMap<number, string> = new Map([
  [0x0000_0073, 'ecall'],
  [0x0010_0073, 'ebreak'],
  [WFI, 'wfi'],
  [MRET, 'mret'],
]);

const OTHERS = ['lui', 'auipc', 'jal', 'jalr', 'fence', 'fence.i', 'sub', 'sra', 'srai'];
/** Zba, Zbb and Zbs, by funct7 and funct3. */
const BIT_OPERATIONS: ReadonlyMap<number, string> = new Map([
  [0x102, 'sh1add'],
  [0x104, 'sh2add'],
  [0x106, 'sh3add'],
  [0x204, 'xnor'],
  [0x206, 'orn'],
  [0x207, 'andn'],
  [0x054, 'min'],
  [0x055, 'minu'],
  [0x056, 'max'],
  [0x057, 'maxu'],
  [0x301, 'rol'],
  [0x305, 'ror'],
  [0x141, 'bset'],
  [0x241, 'bclr'],
  [0x245, 'bext'],
  [0x341, 'binv'],
]);
const BIT_SHIFTS: ReadonlyMap<number, string> = new Map([
  [0x305, 'rori'],
  [0x141, 'bseti'],
  [0x241, 'bclri'],
  [0x245, 'bexti'],
  [0x341, 'binvi'],
]);
/** By bits 31:20. */
const UNARY: ReadonlyMap<number, string> = new Map([
  [0x600, 'clz'],
  [0x601, 'ctz'],
  [0x602, 'cpop'],
  [0x604, 'sext.b'],
  [0x605, 'sext.h'],
]);
const QUADRANT_0 = ['c.addi4spn', undefined, 'c.lw', undefined, undefined, undefined, 'c.sw'];
const QUADRANT_1 = ['c.addi', 'c.jal', 'c.li', 'c.lui', undefined, 'c.j', 'c.beqz', 'c.bnez'];
const QUADRANT_2 = ['c.slli', undefined, 'c.lwsp', undefined, undefined, undefined, 'c.swsp'];
const COMPRESSED_IMMEDIATE = ['c.srli', 'c.srai', 'c.andi'];
const COMPRESSED_REGISTER = ['c.sub', 'c.xor', 'c.or', 'c.and'];

/** All of RV32IMAC with Zba, Zbb, Zbs, Zicsr, Zifencei and machine mode. */
export const MNEMONICS: readonly string[] = [
  ...[...BRANCHES, ...LOADS, ...STORES, ...IMMEDIATE, ...REGISTER, ...MULTIPLY, ...CSR].filter(
    (name) => name !== undefined,
  ),
  ...OTHERS,
  ...ATOMIC.values(),
  ...PRIVILEGED.values(),
  ...BIT_OPERATIONS.values(),
  ...BIT_SHIFTS.values(),
  ...UNARY.values(),
  'orc.b',
  'rev8',
  'zext.h',
  ...[...QUADRANT_0, ...QUADRANT_1, ...QUADRANT_2, ...COMPRESSED_IMMEDIATE].filter(
    (name) => name !== undefined,
  ),
  ...COMPRESSED_REGISTER,
  'c.nop',
  'c.addi16sp',
  'c.jr',
  'c.mv',
  'c.ebreak',
  'c.jalr',
  'c.add',
];

function isCompressed(word: number): boolean {
  return (word & 3) !== 3;
}

/** The instruction of 32 bits that it is, or that it stands for. */
export function expanded(word: number): number {
  return isCompressed(word) ? (EXPANDED[word & 0xffff] ?? 0) : word;
}

export function bytesOf(word: number): number {
  return isCompressed(word) ? 2 : 4;
}

export function opcode(word: number): number {
  return word & 0x7f;
}

export function rd(word: number): number {
  return (word >>> 7) & 31;
}

export function rs1(word: number): number {
  return (word >>> 15) & 31;
}

/** Bits 31:20, signed. */
export function immediate(word: number): number {
  return word >> 20;
}

/** Whether it may go elsewhere than to the next instruction without a trap. `word`: of 32 bits. */
export function isJump(word: number): boolean {
  return [BRANCH, JALR, JAL].includes(opcode(word)) || word === MRET;
}

/** What an instruction is called; `illegal` where it is none. */
export function mnemonic(word: number): string {
  if (!isCompressed(word)) return named(word) ?? 'illegal';
  // Where it stands for itself it is none.
  return (expanded(word) === word ? undefined : compressed(word)) ?? 'illegal';
}

function compressed(half: number): string | undefined {
  const destination = rd(half);
  const rs2 = (half >>> 2) & 31;
  const operation = half >>> 13;
  switch (half & 3) {
    case 0:
      return QUADRANT_0[operation];
    case 1:
      if (operation === 0 && destination === 0) return 'c.nop';
      if (operation === 3 && destination === 2) return 'c.addi16sp';
      if (operation !== 4) return QUADRANT_1[operation];
      return COMPRESSED_IMMEDIATE[(half >>> 10) & 3] ?? COMPRESSED_REGISTER[(half >>> 5) & 3];
    default:
      if (operation !== 4) return QUADRANT_2[operation];
      if ((half & 0x1000) === 0) return rs2 === 0 ? 'c.jr' : 'c.mv';
      if (rs2 !== 0) return 'c.add';
      return destination === 0 ? 'c.ebreak' : 'c.jalr';
  }
}

function named(word: number): string | undefined {
  const funct3 = (word >>> 12) & 7;
  const funct7 = word >>> 25;
  switch (opcode(word)) {
    case LOAD:
      return LOADS[funct3];
    case 0x0f:
      return ['fence', 'fence.i'][funct3];
    case 0x13:
      if (funct3 === 5 && funct7 === 0x20) return 'srai';
      if (funct3 === 1 && funct7 === 0x30) return UNARY.get(word >>> 20);
      if (word >>> 20 === 0x287 && funct3 === 5) return 'orc.b';
      if (word >>> 20 === 0x698 && funct3 === 5) return 'rev8';
      if ((funct3 === 1 || funct3 === 5) && funct7 !== 0) return BIT_SHIFTS.get((funct7 << 4) | funct3);
      return IMMEDIATE[funct3];
    case 0x17:
      return 'auipc';
    case 0x23:
      return STORES[funct3];
    case AMO:
      return funct3 === 2 ? ATOMIC.get(word >>> 27) : undefined;
    case 0x33:
      if (funct7 === 0x20 && (funct3 === 0 || funct3 === 5)) return funct3 === 0 ? 'sub' : 'sra';
      if (funct7 === 0x04) return funct3 === 4 && ((word >>> 20) & 31) === 0 ? 'zext.h' : undefined;
      if (funct7 > 1) return BIT_OPERATIONS.get((funct7 << 4) | funct3);
      return funct7 === 1 ? MULTIPLY[funct3] : REGISTER[funct3];
    case 0x37:
      return 'lui';
    case BRANCH:
      return BRANCHES[funct3];
    case JALR:
      return funct3 === 0 ? 'jalr' : undefined;
    case JAL:
      return 'jal';
    case SYSTEM:
      return CSR[funct3] ?? PRIVILEGED.get(word >>> 0);
    default:
      return undefined;
  }
}
