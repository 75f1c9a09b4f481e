const ABI_NAMES =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(
    ' ',
  );

export type Register = string;

/** Number of a register named `x5` or `t0`. */
function registerNumber(name: Register): number {
  const number = /^x\d+$/.test(name) ? Number(name.slice(1)) : ABI_NAMES.indexOf(name);
  if (number < 0 || number > 31) throw new Error(`no register ${name}`);
  return number;
}

const REGISTER_OPERATIONS = {
  add: [0x00, 0],
  sub: [0x20, 0],
  sll: [0x00, 1],
  slt: [0x00, 2],
  sltu: [0x00, 3],
  xor: [0x00, 4],
  srl: [0x00, 5],
  sra: [0x20, 5],
  or: [0x00, 6],
  and: [0x00, 7],
  mul: [0x01, 0],
  mulh: [0x01, 1],
  mulhsu: [0x01, 2],
  mulhu: [0x01, 3],
  div: [0x01, 4],
  divu: [0x01, 5],
  rem: [0x01, 6],
  remu: [0x01, 7],
} as const;

/** Zba, Zbb and Zbs. */
const BIT_OPERATIONS = {
  sh1add: [0x10, 2],
  sh2add: [0x10, 4],
  sh3add: [0x10, 6],
  andn: [0x20, 7],
  orn: [0x20, 6],
  xnor: [0x20, 4],
  min: [0x05, 4],
  minu: [0x05, 5],
  max: [0x05, 6],
  maxu: [0x05, 7],
  rol: [0x30, 1],
  ror: [0x30, 5],
  bset: [0x14, 1],
  bclr: [0x24, 1],
  bext: [0x24, 5],
  binv: [0x34, 1],
} as const;
const BIT_SHIFTS = {
  rori: [0x30, 5],
  bseti: [0x14, 1],
  bclri: [0x24, 1],
  bexti: [0x24, 5],
  binvi: [0x34, 1],
} as const;
/** Those of one source: bits 31:20, funct3 and opcode. */
const UNARY_OPERATIONS = {
  clz: [0x600, 1, 0x13],
  ctz: [0x601, 1, 0x13],
  cpop: [0x602, 1, 0x13],
  'sext.b': [0x604, 1, 0x13],
  'sext.h': [0x605, 1, 0x13],
  'orc.b': [0x287, 5, 0x13],
  rev8: [0x698, 5, 0x13],
  'zext.h': [0x080, 4, 0x33],
} as const;

const IMMEDIATE_OPERATIONS = { addi: 0, slti: 2, sltiu: 3, xori: 4, ori: 6, andi: 7 } as const;
const SHIFT_OPERATIONS = { slli: [0x00, 1], srli: [0x00, 5], srai: [0x20, 5] } as const;
const LOADS = { lb: 0, lh: 1, lw: 2, lbu: 4, lhu: 5 } as const;
const STORES = { sb: 0, sh: 1, sw: 2 } as const;
const BRANCHES = { beq: 0, bne: 1, blt: 4, bge: 5, bltu: 6, bgeu: 7 } as const;
const CSR_OPERATIONS = { csrrw: 1, csrrs: 2, csrrc: 3 } as const;
const ATOMICS = {
  amoadd: 0x00,
  amoswap: 0x01,
  lr: 0x02,
  sc: 0x03,
  amoxor: 0x04,
  amoor: 0x08,
  amoand: 0x0c,
  amomin: 0x10,
  amomax: 0x14,
  amominu: 0x18,
  amomaxu: 0x1c,
} as const;

export type RegisterOperation = keyof typeof REGISTER_OPERATIONS;
export type BitOperation = keyof typeof BIT_OPERATIONS;
export type BitShift = keyof typeof BIT_SHIFTS;
export type UnaryOperation = keyof typeof UNARY_OPERATIONS;
export type ImmediateOperation = keyof typeof IMMEDIATE_OPERATIONS;
export type ShiftOperation = keyof typeof SHIFT_OPERATIONS;
export type LoadOperation = keyof typeof LOADS;
export type StoreOperation = keyof typeof STORES;
export type BranchOperation = keyof typeof BRANCHES;
export type CsrOperation = keyof typeof CSR_OPERATIONS;
export type AtomicOperation = keyof typeof ATOMICS;

/** CSRs by name. */
export const CSR = {
  mstatus: 0x300,
  misa: 0x301,
  medeleg: 0x302,
  mie: 0x304,
  mtvec: 0x305,
  mcounteren: 0x306,
  menvcfg: 0x30a,
  mstatush: 0x310,
  mcountinhibit: 0x320,
  mscratch: 0x340,
  mepc: 0x341,
  mcause: 0x342,
  mtval: 0x343,
  mip: 0x344,
  pmpcfg0: 0x3a0,
  pmpaddr0: 0x3b0,
  mcycle: 0xb00,
  minstret: 0xb02,
  mcycleh: 0xb80,
  minstreth: 0xb82,
  cycle: 0xc00,
  time: 0xc01,
  instret: 0xc02,
  cycleh: 0xc80,
  timeh: 0xc81,
  instreth: 0xc82,
  mvendorid: 0xf11,
  mhartid: 0xf14,
} as const;

type Target = string | number;

interface Fixup {
  readonly index: number;
  readonly label: string;
  readonly encode: (distance: number) => number;
}

/**
 * Encodes RV32IMA and Zba, Zbb, Zbs, one instruction after the other; those of 16 bits are given as they are. Branches
 * and jumps take labels, or distances in bytes.
 */
export class Assembler {
  private readonly halves: number[] = [];
  private readonly labels = new Map<string, number>();
  private readonly fixups: Fixup[] = [];

  constructor(readonly origin = 0x8000_0000) {}

  /** The address of the next instruction. */
  get here(): number {
    return this.origin + 2 * this.halves.length;
  }

  words(): Uint32Array {
    const halves = new Uint16Array(2 * Math.ceil(this.halves.length / 2));
    halves.set(this.halves);
    for (const { index, label, encode } of this.fixups) {
      const word = encode(this.addressOf(label) - (this.origin + 2 * index));
      halves.set([word & 0xffff, word >>> 16], index);
    }
    return new Uint32Array(halves.buffer);
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.words().buffer, 0, 2 * this.halves.length);
  }

  addressOf(label: string): number {
    const index = this.labels.get(label);
    if (index === undefined) throw new Error(`no label ${label}`);
    return this.origin + 2 * index;
  }

  label(name: string): this {
    this.labels.set(name, this.halves.length);
    return this;
  }

  word(...words: number[]): this {
    for (const word of words) this.halves.push(word & 0xffff, word >>> 16);
    return this;
  }

  /** Instructions of 16 bits. */
  half(...halves: number[]): this {
    this.halves.push(...halves);
    return this;
  }

  op(operation: RegisterOperation, rd: Register, rs1: Register, rs2: Register): this {
    const [funct7, funct3] = REGISTER_OPERATIONS[operation];
    return this.word(registerForm(0x33, funct3, funct7, rd, rs1, rs2));
  }

  bits(operation: BitOperation, rd: Register, rs1: Register, rs2: Register): this {
    const [funct7, funct3] = BIT_OPERATIONS[operation];
    return this.word(registerForm(0x33, funct3, funct7, rd, rs1, rs2));
  }

  bitShift(operation: BitShift, rd: Register, rs1: Register, amount: number): this {
    const [funct7, funct3] = BIT_SHIFTS[operation];
    return this.word(immediateForm(0x13, funct3, rd, rs1, (funct7 << 5) | amount));
  }

  unary(operation: UnaryOperation, rd: Register, rs1: Register): this {
    const [upper, funct3, opcode] = UNARY_OPERATIONS[operation];
    return this.word(immediateForm(opcode, funct3, rd, rs1, upper));
  }

  imm(operation: ImmediateOperation, rd: Register, rs1: Register, immediate: number): this {
    return this.word(immediateForm(0x13, IMMEDIATE_OPERATIONS[operation], rd, rs1, signed12(immediate)));
  }

  shift(operation: ShiftOperation, rd: Register, rs1: Register, amount: number): this {
    const [funct7, funct3] = SHIFT_OPERATIONS[operation];
    return this.word(immediateForm(0x13, funct3, rd, rs1, (funct7 << 5) | amount));
  }

  addi(rd: Register, rs1: Register, immediate: number): this {
    return this.imm('addi', rd, rs1, immediate);
  }

  nop(): this {
    return this.addi('zero', 'zero', 0);
  }

  lui(rd: Register, upper: number): this {
    return this.word(((upper & 0xfffff) << 12) | (registerNumber(rd) << 7) | 0x37);
  }

  auipc(rd: Register, upper: number): this {
    return this.word(((upper & 0xfffff) << 12) | (registerNumber(rd) << 7) | 0x17);
  }

  /** Any 32-bit constant; always two instructions. */
  li(rd: Register, value: number): this {
    const low = (value << 20) >> 20;
    return this.lui(rd, (value - low) >>> 12).addi(rd, rd, low);
  }

  load(operation: LoadOperation, rd: Register, rs1: Register, offset = 0): this {
    return this.word(immediateForm(0x03, LOADS[operation], rd, rs1, signed12(offset)));
  }

  store(operation: StoreOperation, rs2: Register, rs1: Register, offset = 0): this {
    const low = signed12(offset) & 0x1f;
    const high = (offset >> 5) & 0x7f;
    const registers = (registerNumber(rs2) << 20) | (registerNumber(rs1) << 15);
    return this.word((high << 25) | registers | (STORES[operation] << 12) | (low << 7) | 0x23);
  }

  branch(operation: BranchOperation, rs1: Register, rs2: Register, target: Target): this {
    const registers = (registerNumber(rs2) << 20) | (registerNumber(rs1) << 15);
    return this.relative(target, (distance) => {
      const high = (((distance >> 12) & 1) << 31) | (((distance >> 5) & 0x3f) << 25);
      const low = (((distance >> 1) & 0xf) << 8) | (((distance >> 11) & 1) << 7);
      return high | registers | (BRANCHES[operation] << 12) | low | 0x63;
    });
  }

  jal(rd: Register, target: Target): this {
    return this.relative(target, (distance) => {
      const high = (((distance >> 20) & 1) << 31) | (((distance >> 1) & 0x3ff) << 21);
      const low = (((distance >> 11) & 1) << 20) | (((distance >> 12) & 0xff) << 12);
      return high | low | (registerNumber(rd) << 7) | 0x6f;
    });
  }

  jump(target: Target): this {
    return this.jal('zero', target);
  }

  jalr(rd: Register, rs1: Register, offset = 0): this {
    return this.word(immediateForm(0x67, 0, rd, rs1, signed12(offset)));
  }

  fence(): this {
    return this.word(0x0ff0_000f);
  }

  fenceI(): this {
    return this.word(0x0000_100f);
  }

  ecall(): this {
    return this.word(0x0000_0073);
  }

  ebreak(): this {
    return this.word(0x0010_0073);
  }

  mret(): this {
    return this.word(0x3020_0073);
  }

  wfi(): this {
    return this.word(0x1050_0073);
  }

  csr(operation: CsrOperation, rd: Register, number: number, rs1: Register): this {
    return this.word(immediateForm(0x73, CSR_OPERATIONS[operation], rd, rs1, number));
  }

  csrImmediate(operation: CsrOperation, rd: Register, number: number, immediate: number): this {
    const funct3 = CSR_OPERATIONS[operation] | 4;
    return this.word(
      (number << 20) | ((immediate & 31) << 15) | (funct3 << 12) | (registerNumber(rd) << 7) | 0x73,
    );
  }

  csrr(rd: Register, number: number): this {
    return this.csr('csrrs', rd, number, 'zero');
  }

  csrw(number: number, rs1: Register): this {
    return this.csr('csrrw', 'zero', number, rs1);
  }

  atomic(operation: AtomicOperation, rd: Register, rs2: Register, rs1: Register): this {
    return this.word(registerForm(0x2f, 2, ATOMICS[operation] << 2, rd, rs1, rs2));
  }

  private relative(target: Target, encode: (distance: number) => number): this {
    if (typeof target === 'number') return this.word(encode(target));
    this.fixups.push({ index: this.halves.length, label: target, encode });
    return this.word(0);
  }
}

function registerForm(
  opcode: number,
  funct3: number,
  funct7: number,
  rd: Register,
  rs1: Register,
  rs2: Register,
): number {
  const sources = (registerNumber(rs2) << 20) | (registerNumber(rs1) << 15);
  return (funct7 << 25) | sources | (funct3 << 12) | (registerNumber(rd) << 7) | opcode;
}

/** Gives `value` back. Throws if an immediate of 12 bits cannot hold it. */
function signed12(value: number): number {
  if (value < -2048 || value > 2047) throw new Error(`${value} does not fit into an immediate of 12 bits`);
  return value;
}

function immediateForm(
  opcode: number,
  funct3: number,
  rd: Register,
  rs1: Register,
  immediate: number,
): number {
  return (
    ((immediate & 0xfff) << 20) |
    (registerNumber(rs1) << 15) |
    (funct3 << 12) |
    (registerNumber(rd) << 7) |
    opcode
  );
}
