/** What translated code does with an instruction; anything else is left to the interpreter. */
export type Instruction =
  | {
      readonly kind: 'immediate';
      readonly op: Arithmetic;
      readonly rd: number;
      readonly rs1: number;
      readonly immediate: number;
    }
  | {
      readonly kind: 'register';
      readonly op: Arithmetic;
      readonly rd: number;
      readonly rs1: number;
      readonly rs2: number;
    }
  | { readonly kind: 'constant'; readonly rd: number; readonly value: number }
  | {
      readonly kind: 'load';
      readonly width: 1 | 2 | 4;
      readonly signed: boolean;
      readonly rd: number;
      readonly rs1: number;
      readonly immediate: number;
    }
  | {
      readonly kind: 'store';
      readonly width: 1 | 2 | 4;
      readonly rs1: number;
      readonly rs2: number;
      readonly immediate: number;
    }
  | {
      readonly kind: 'branch';
      readonly op: Condition;
      readonly rs1: number;
      readonly rs2: number;
      readonly target: number;
    }
  | { readonly kind: 'jump'; readonly rd: number; readonly target: number }
  | { readonly kind: 'indirect'; readonly rd: number; readonly rs1: number; readonly immediate: number }
  /** An atomic operation on a word of memory: its old value goes to `rd`. */
  | {
      readonly kind: 'atomic';
      readonly op: Atomic;
      readonly rd: number;
      readonly rs1: number;
      readonly rs2: number;
    }
  /** Reads a control and status register, and does not write it. */
  | { readonly kind: 'csr'; readonly csr: number; readonly rd: number }
  | { readonly kind: 'nothing' };

export type Arithmetic =
  (typeof BASE)[number] | (typeof MULTIPLICATIONS)[number] | BitManipulation | 'sub' | 'sra';

/** Of Zba, Zbb and Zbs. */
type BitManipulation =
  | 'sh1add'
  | 'sh2add'
  | 'sh3add'
  | 'andn'
  | 'orn'
  | 'xnor'
  | 'min'
  | 'minu'
  | 'max'
  | 'maxu'
  | 'rol'
  | 'ror'
  | 'bset'
  | 'bclr'
  | 'binv'
  | 'bext'
  | Unary;

/** What takes one operand; the other is ignored. */
export type Unary = 'clz' | 'ctz' | 'cpop' | 'sext.b' | 'sext.h' | 'zext.h' | 'orc.b' | 'rev8';

/** What an atomic operation makes of the old value and its operand. LR and SC are left to the interpreter. */
type Atomic = (typeof ATOMICS)[keyof typeof ATOMICS];

export type Condition = 'eq' | 'ne' | 'lt' | 'ge' | 'ltu' | 'geu';

const BASE = ['add', 'sll', 'slt', 'sltu', 'xor', 'srl', 'or', 'and'] as const;
const MULTIPLICATIONS = ['mul', 'mulh', 'mulhsu', 'mulhu', 'div', 'divu', 'rem', 'remu'] as const;
/** By funct3, for each funct7. */
const REGISTER_OPERATIONS: Readonly<Partial<Record<number, readonly (Arithmetic | undefined)[]>>> = {
  0x00: BASE,
  0x01: MULTIPLICATIONS,
  0x05: [undefined, undefined, undefined, undefined, 'min', 'minu', 'max', 'maxu'],
  0x10: [undefined, undefined, 'sh1add', undefined, 'sh2add', undefined, 'sh3add'],
  0x14: [undefined, 'bset'],
  0x20: ['sub', undefined, undefined, undefined, 'xnor', 'sra', 'orn', 'andn'],
  0x24: [undefined, 'bclr', undefined, undefined, undefined, 'bext'],
  0x30: [undefined, 'rol', undefined, undefined, undefined, 'ror'],
  0x34: [undefined, 'binv'],
};
/** Shifts and what is encoded beside them, by funct7: with funct3 1 and 5. */
const SHIFTS: Readonly<Partial<Record<number, readonly [Arithmetic | undefined, Arithmetic | undefined]>>> = {
  0x00: ['sll', 'srl'],
  0x14: ['bset', undefined],
  0x20: [undefined, 'sra'],
  0x24: ['bclr', 'bext'],
  0x30: [undefined, 'ror'],
  0x34: ['binv', undefined],
};
const UNARY = ['clz', 'ctz', 'cpop', undefined, 'sext.b', 'sext.h'] as const;
/** By the upper five bits. */
const ATOMICS = {
  0b00000: 'add',
  0b00001: 'swap',
  0b00100: 'xor',
  0b01000: 'or',
  0b01100: 'and',
  0b10000: 'min',
  0b10100: 'max',
  0b11000: 'minu',
  0b11100: 'maxu',
} as const;
const ORC_B = 7;
const REV8 = 24;
const CONDITIONS = ['eq', 'ne', undefined, undefined, 'lt', 'ge', 'ltu', 'geu'] as const;

/**
 * Decodes a 32-bit instruction at guest-physical address `pc`. Undefined where the interpreter has to execute it: it
 * is illegal, privileged, reserved, LR or SC, or writes a control and status register.
 */
export function decode(word: number, pc: number): Instruction | undefined {
  const rd = (word >>> 7) & 31;
  const rs1 = (word >>> 15) & 31;
  const rs2 = (word >>> 20) & 31;
  const funct3 = (word >>> 12) & 7;
  const funct7 = word >>> 25;
  const immediate = word >> 20;
  switch (word & 0x7f) {
    case 0x13: {
      const op = immediateOperation(funct3, funct7, rs2);
      if (op === undefined) return undefined;
      const isShift = funct3 === 1 || funct3 === 5;
      return { kind: 'immediate', op, rd, rs1, immediate: isShift ? immediate & 31 : immediate };
    }
    case 0x33: {
      const op = registerOperation(funct3, funct7, rs2);
      return op === undefined ? undefined : { kind: 'register', op, rd, rs1, rs2 };
    }
    case 0x37:
      return { kind: 'constant', rd, value: (word & 0xfffff000) | 0 };
    case 0x17:
      return { kind: 'constant', rd, value: (pc + (word & 0xfffff000)) | 0 };
    case 0x03:
      if (funct3 === 3 || funct3 > 5) return undefined;
      return { kind: 'load', width: widthOf(funct3 & 3), signed: funct3 < 3, rd, rs1, immediate };
    case 0x23:
      if (funct3 > 2) return undefined;
      return { kind: 'store', width: widthOf(funct3), rs1, rs2, immediate: ((word >> 25) << 5) | rd };
    case 0x63: {
      const op = CONDITIONS[funct3];
      return op === undefined
        ? undefined
        : { kind: 'branch', op, rs1, rs2, target: (pc + branchOffset(word)) | 0 };
    }
    case 0x6f:
      return { kind: 'jump', rd, target: (pc + jumpOffset(word)) | 0 };
    case 0x67:
      return funct3 === 0 ? { kind: 'indirect', rd, rs1, immediate } : undefined;
    case 0x2f: {
      const op = funct3 === 2 ? atomicOperation(word >>> 27) : undefined;
      return op === undefined ? undefined : { kind: 'atomic', op, rd, rs1, rs2 };
    }
    case 0x73:
      // CSRRS and CSRRC without a source, and their immediate forms.
      return (funct3 & 2) !== 0 && rs1 === 0 ? { kind: 'csr', csr: word >>> 20, rd } : undefined;
    case 0x0f:
      return funct3 > 1 ? undefined : { kind: 'nothing' };
    default:
      return undefined;
  }
}

function immediateOperation(funct3: number, funct7: number, low: number): Arithmetic | undefined {
  if (funct3 !== 1 && funct3 !== 5) return BASE[funct3];
  if (funct3 === 1 && funct7 === 0x30) return UNARY[low];
  if (funct3 === 5 && funct7 === 0x14) return low === ORC_B ? 'orc.b' : undefined;
  if (funct3 === 5 && funct7 === 0x34) return low === REV8 ? 'rev8' : undefined;
  return SHIFTS[funct7]?.[funct3 === 1 ? 0 : 1];
}

function registerOperation(funct3: number, funct7: number, rs2: number): Arithmetic | undefined {
  if (funct7 === 0x04) return funct3 === 4 && rs2 === 0 ? 'zext.h' : undefined;
  return REGISTER_OPERATIONS[funct7]?.[funct3];
}

function atomicOperation(number: number): Atomic | undefined {
  return number in ATOMICS ? ATOMICS[number as keyof typeof ATOMICS] : undefined;
}

function widthOf(logarithm: number): 1 | 2 | 4 {
  return logarithm === 0 ? 1 : logarithm === 1 ? 2 : 4;
}

function branchOffset(word: number): number {
  return ((word >> 31) << 12) | ((word & 0x80) << 4) | ((word >>> 20) & 0x7e0) | ((word >>> 7) & 0x1e);
}

function jumpOffset(word: number): number {
  return ((word >> 31) << 20) | (word & 0xff000) | ((word >>> 9) & 0x800) | ((word >>> 20) & 0x7fe);
}
