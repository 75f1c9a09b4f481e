import type { Arithmetic } from './instruction.js';
import { I32, Op, type WasmCode } from './wasmCode.js';

/** Puts a value on the stack; may be called more than once. */
export type Operand = () => void;

/** Appends an operation, which leaves its result on the stack. */
export function appendArithmetic(code: WasmCode, op: Arithmetic, left: Operand, right: Operand): void {
  if (isSimple(op)) {
    left();
    right();
    code.byte(SIMPLE[op]);
    return;
  }
  switch (op) {
    case 'mulh':
    case 'mulhsu':
    case 'mulhu':
      wide(code, left, op !== 'mulhu');
      wide(code, right, op === 'mulh');
      code.byte(Op.I64_MUL).byte(Op.I64_CONST).signed(32).byte(Op.I64_SHR_U).byte(Op.I32_WRAP_I64);
      break;
    case 'sh1add':
    case 'sh2add':
    case 'sh3add':
      left();
      code.constant(Number(op[2])).byte(Op.I32_SHL);
      right();
      code.byte(Op.I32_ADD);
      break;
    case 'andn':
    case 'orn':
    case 'xnor':
      left();
      right();
      code.constant(-1).byte(Op.I32_XOR);
      code.byte(op === 'andn' ? Op.I32_AND : op === 'orn' ? Op.I32_OR : Op.I32_XOR);
      break;
    case 'min':
    case 'minu':
    case 'max':
    case 'maxu':
      left();
      right();
      left();
      right();
      code.byte(op.endsWith('u') ? Op.I32_LT_U : Op.I32_LT_S);
      if (op.startsWith('max')) code.byte(Op.I32_EQZ);
      code.byte(Op.SELECT);
      break;
    case 'bset':
    case 'binv':
      left();
      code.constant(1);
      right();
      code.byte(Op.I32_SHL).byte(op === 'bset' ? Op.I32_OR : Op.I32_XOR);
      break;
    case 'bclr':
      left();
      code.constant(-2);
      right();
      code.byte(Op.I32_ROTL).byte(Op.I32_AND);
      break;
    case 'bext':
      left();
      right();
      code.byte(Op.I32_SHR_U).constant(1).byte(Op.I32_AND);
      break;
    case 'clz':
    case 'ctz':
    case 'cpop':
    case 'sext.b':
    case 'sext.h':
      left();
      code.byte(UNARY[op]);
      break;
    case 'zext.h':
      left();
      code.constant(0xffff).byte(Op.I32_AND);
      break;
    case 'orc.b':
      // The highest bit of each byte that is not 0, spread over the byte.
      left();
      code.constant(0x7f7f_7f7f).byte(Op.I32_AND).constant(0x7f7f_7f7f).byte(Op.I32_ADD);
      left();
      code.byte(Op.I32_OR).constant(7).byte(Op.I32_SHR_U).constant(0x0101_0101).byte(Op.I32_AND);
      code.constant(0xff).byte(Op.I32_MUL);
      break;
    case 'rev8':
      left();
      code.constant(8).byte(Op.I32_ROTL).constant(0x00ff_00ff).byte(Op.I32_AND);
      left();
      code.constant(8).byte(Op.I32_ROTR).constant(0xff00_ff00).byte(Op.I32_AND).byte(Op.I32_OR);
      break;
    case 'div':
    case 'divu':
    case 'rem':
    case 'remu':
      divide(code, op === 'div' || op === 'rem', op.startsWith('rem'), left, right);
  }
}

/** In 64 bits nothing overflows, and a divisor of zero is answered as the instruction set says. */
function divide(
  code: WasmCode,
  isSigned: boolean,
  isRemainder: boolean,
  left: Operand,
  right: Operand,
): void {
  right();
  code.byte(Op.IF).byte(I32);
  wide(code, left, isSigned);
  wide(code, right, isSigned);
  if (isRemainder) code.byte(isSigned ? Op.I64_REM_S : Op.I64_REM_U);
  else code.byte(isSigned ? Op.I64_DIV_S : Op.I64_DIV_U);
  code.byte(Op.I32_WRAP_I64).byte(Op.ELSE);
  if (isRemainder) left();
  else code.constant(-1);
  code.byte(Op.END);
}

function wide(code: WasmCode, value: Operand, isSigned: boolean): void {
  value();
  code.byte(isSigned ? Op.I64_EXTEND_I32_S : Op.I64_EXTEND_I32_U);
}

const SIMPLE = {
  add: Op.I32_ADD,
  sub: Op.I32_SUB,
  sll: Op.I32_SHL,
  slt: Op.I32_LT_S,
  sltu: Op.I32_LT_U,
  xor: Op.I32_XOR,
  srl: Op.I32_SHR_U,
  sra: Op.I32_SHR_S,
  or: Op.I32_OR,
  and: Op.I32_AND,
  mul: Op.I32_MUL,
  rol: Op.I32_ROTL,
  ror: Op.I32_ROTR,
} as const satisfies Partial<Record<Arithmetic, Op>>;

function isSimple(op: Arithmetic): op is keyof typeof SIMPLE {
  return op in SIMPLE;
}

const UNARY = {
  clz: Op.I32_CLZ,
  ctz: Op.I32_CTZ,
  cpop: Op.I32_POPCNT,
  'sext.b': Op.I32_EXTEND8_S,
  'sext.h': Op.I32_EXTEND16_S,
} as const;
