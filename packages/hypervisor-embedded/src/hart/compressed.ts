const ZERO = 0;
const RA = 1;
const SP = 2;

const ADD = 0;
const XOR = 4;
const OR = 6;
const AND = 7;
const SUB = 0x20;
const SRL = 5;
const SLL = 1;
const ARITHMETIC = 0x400;
const BEQ = 0;
const BNE = 1;
const EBREAK = 0x0010_0073;

/**
 * The 32-bit instruction that `half` stands for; undefined where it is reserved, or of an extension that is missing.
 */
function expand(half: number): number | undefined {
  const quadrant = half & 3;
  if (quadrant === 0) return expandQuadrant0(half);
  if (quadrant === 1) return expandQuadrant1(half);
  return quadrant === 2 ? expandQuadrant2(half) : undefined;
}

/** Loads and stores of words through x8 to x15. */
function expandQuadrant0(half: number): number | undefined {
  const rd = shortRegister(half, 2);
  const rs1 = shortRegister(half, 7);
  const offset = (bits(half, 10, 3) << 3) | (bits(half, 6, 1) << 2) | (bits(half, 5, 1) << 6);
  switch (half >>> 13) {
    case 0: {
      // C.ADDI4SPN
      const immediate =
        (bits(half, 11, 2) << 4) |
        (bits(half, 7, 4) << 6) |
        (bits(half, 6, 1) << 2) |
        (bits(half, 5, 1) << 3);
      return immediate === 0 ? undefined : operateImmediate(ADD, rd, SP, immediate);
    }
    case 2: // C.LW
      return loadWord(rd, rs1, offset);
    case 6: // C.SW
      return storeWord(rd, rs1, offset);
    default:
      return undefined;
  }
}

/** Small constants, arithmetic, jumps and branches. */
function expandQuadrant1(half: number): number | undefined {
  const rd = bits(half, 7, 5);
  const immediate = signed((bits(half, 12, 1) << 5) | bits(half, 2, 5), 6);
  switch (half >>> 13) {
    case 0: // C.ADDI, C.NOP
      return operateImmediate(ADD, rd, rd, immediate);
    case 1: // C.JAL
      return jumpAndLink(RA, jumpDistance(half));
    case 2: // C.LI
      return operateImmediate(ADD, rd, ZERO, immediate);
    case 3: // C.ADDI16SP, C.LUI
      if (immediate === 0) return undefined;
      if (rd === SP) return operateImmediate(ADD, SP, SP, stackAdjustment(half));
      return (immediate << 12) | (rd << 7) | 0x37;
    case 4:
      return expandArithmetic(half, immediate);
    case 5: // C.J
      return jumpAndLink(ZERO, jumpDistance(half));
    case 6: // C.BEQZ
      return branch(BEQ, shortRegister(half, 7), branchDistance(half));
    default: // C.BNEZ
      return branch(BNE, shortRegister(half, 7), branchDistance(half));
  }
}

function expandArithmetic(half: number, immediate: number): number | undefined {
  const rd = shortRegister(half, 7);
  const rs2 = shortRegister(half, 2);
  const operation = bits(half, 10, 2);
  if (operation === 2) return operateImmediate(AND, rd, rd, immediate); // C.ANDI
  // Shifts by 32 and more, and the operations of RV64, are not of RV32.
  if (bits(half, 12, 1) !== 0) return undefined;
  if (operation === 0) return operateImmediate(SRL, rd, rd, immediate); // C.SRLI
  if (operation === 1) return operateImmediate(SRL, rd, rd, immediate | ARITHMETIC); // C.SRAI
  switch (bits(half, 5, 2)) {
    case 0: // C.SUB
      return operate(ADD, SUB, rd, rd, rs2);
    case 1: // C.XOR
      return operate(XOR, 0, rd, rd, rs2);
    case 2: // C.OR
      return operate(OR, 0, rd, rd, rs2);
    default: // C.AND
      return operate(AND, 0, rd, rd, rs2);
  }
}

/** Loads and stores relative to the stack pointer, moves, jumps to registers. */
function expandQuadrant2(half: number): number | undefined {
  const rd = bits(half, 7, 5);
  const rs2 = bits(half, 2, 5);
  const high = bits(half, 12, 1);
  switch (half >>> 13) {
    case 0: // C.SLLI
      return high === 1 ? undefined : operateImmediate(SLL, rd, rd, rs2);
    case 2: // C.LWSP
      if (rd === ZERO) return undefined;
      return loadWord(rd, SP, (bits(half, 4, 3) << 2) | (high << 5) | (bits(half, 2, 2) << 6));
    case 4:
      if (rs2 !== ZERO) return operate(ADD, 0, rd, high === 0 ? ZERO : rd, rs2); // C.MV, C.ADD
      if (rd !== ZERO) return (rd << 15) | (high << 7) | 0x67; // C.JR, C.JALR
      return high === 0 ? undefined : EBREAK;
    case 6: // C.SWSP
      return storeWord(rs2, SP, (bits(half, 9, 4) << 2) | (bits(half, 7, 2) << 6));
    default:
      return undefined;
  }
}

function stackAdjustment(half: number): number {
  const positive =
    (bits(half, 6, 1) << 4) | (bits(half, 5, 1) << 6) | (bits(half, 3, 2) << 7) | (bits(half, 2, 1) << 5);
  return signed((bits(half, 12, 1) << 9) | positive, 10);
}

function jumpDistance(half: number): number {
  const low = (bits(half, 3, 3) << 1) | (bits(half, 11, 1) << 4) | (bits(half, 2, 1) << 5);
  const middle = (bits(half, 7, 1) << 6) | (bits(half, 6, 1) << 7) | (bits(half, 9, 2) << 8);
  return signed((bits(half, 12, 1) << 11) | (bits(half, 8, 1) << 10) | middle | low, 12);
}

function branchDistance(half: number): number {
  const low = (bits(half, 3, 2) << 1) | (bits(half, 10, 2) << 3) | (bits(half, 2, 1) << 5);
  return signed((bits(half, 12, 1) << 8) | (bits(half, 5, 2) << 6) | low, 9);
}

function bits(half: number, at: number, count: number): number {
  return (half >>> at) & ((1 << count) - 1);
}

function signed(value: number, width: number): number {
  return (value << (32 - width)) >> (32 - width);
}

/** x8 to x15, named by three bits. */
function shortRegister(half: number, at: number): number {
  return 8 + bits(half, at, 3);
}

function operate(funct3: number, funct7: number, rd: number, rs1: number, rs2: number): number {
  return (funct7 << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | 0x33;
}

function operateImmediate(funct3: number, rd: number, rs1: number, immediate: number): number {
  return (immediate << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | 0x13;
}

function loadWord(rd: number, rs1: number, offset: number): number {
  return (offset << 20) | (rs1 << 15) | (2 << 12) | (rd << 7) | 0x03;
}

function storeWord(rs2: number, rs1: number, offset: number): number {
  return ((offset >>> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (2 << 12) | ((offset & 31) << 7) | 0x23;
}

function jumpAndLink(rd: number, distance: number): number {
  const high = (bits(distance, 20, 1) << 31) | (bits(distance, 1, 10) << 21);
  return high | (bits(distance, 11, 1) << 20) | (bits(distance, 12, 8) << 12) | (rd << 7) | 0x6f;
}

function branch(funct3: number, rs1: number, distance: number): number {
  const high = (bits(distance, 12, 1) << 31) | (bits(distance, 5, 6) << 25);
  return (
    high | (rs1 << 15) | (funct3 << 12) | (bits(distance, 1, 4) << 8) | (bits(distance, 11, 1) << 7) | 0x63
  );
}

/**
 * The C extension: each 16-bit instruction of RV32C stands for one of 32 bits. The table is filled once, so that the
 * interpreter pays one load for a compressed instruction and executes it like any other.
 *
 * An entry that is no instruction holds its own 16 bits. Their lowest two are never both set, which no opcode of 32
 * bits has, so the interpreter finds it illegal, and its bits are what mtval takes.
 */
export const EXPANDED: Int32Array = Int32Array.from({ length: 1 << 16 }, (_, half) => expand(half) ?? half);
