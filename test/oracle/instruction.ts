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

/** All of RV32IMA with Zicsr, Zifencei and machine mode. */
export const MNEMONICS: readonly string[] = [
  ...[...BRANCHES, ...LOADS, ...STORES, ...IMMEDIATE, ...REGISTER, ...MULTIPLY, ...CSR].filter(
    (name) => name !== undefined,
  ),
  ...OTHERS,
  ...ATOMIC.values(),
  ...PRIVILEGED.values(),
];

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

/** Whether it may go elsewhere than to the next instruction without a trap. */
export function isJump(word: number): boolean {
  return [BRANCH, JALR, JAL].includes(opcode(word)) || word === MRET;
}

/** What an instruction is called; `illegal` where it is none. */
export function mnemonic(word: number): string {
  return named(word) ?? 'illegal';
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
      return (funct3 === 1 || funct3 === 5) && funct7 !== 0 ? undefined : IMMEDIATE[funct3];
    case 0x17:
      return 'auipc';
    case 0x23:
      return STORES[funct3];
    case AMO:
      return funct3 === 2 ? ATOMIC.get(word >>> 27) : undefined;
    case 0x33:
      if (funct7 === 0x20) return funct3 === 0 ? 'sub' : funct3 === 5 ? 'sra' : undefined;
      return funct7 === 1 ? MULTIPLY[funct3] : funct7 === 0 ? REGISTER[funct3] : undefined;
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
