import * as fc from 'fast-check';
import { Assembler, CSR, type BranchOperation, type Register } from '../assembler.js';
import { CODE, type RandomGuest } from '../randomGuest.js';

/** What random code computes with. The trap handler changes the last two, at the instruction of the interrupt. */
const WORKING = ['t0', 't1', 't2', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 't5', 't6'] as const;
const COUNTERS = ['s0', 's1', 's2', 's3'] as const;
const FUNCTIONS = 3;
const MAX_WORDS = 900;

type Statement =
  | {
      readonly kind: 'compute';
      readonly op: number;
      readonly rd: Register;
      readonly rs1: Register;
      readonly rs2: Register;
      readonly immediate: number;
    }
  | {
      readonly kind: 'load' | 'store';
      readonly width: number;
      readonly register: Register;
      readonly at: number;
    }
  | { readonly kind: 'loop'; readonly times: number; readonly body: readonly Statement[] }
  | {
      readonly kind: 'choice';
      readonly op: number;
      readonly rs1: Register;
      readonly rs2: Register;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | { readonly kind: 'call'; readonly callee: number }
  | { readonly kind: 'table'; readonly index: Register; readonly cases: readonly (readonly Statement[])[] }
  | { readonly kind: 'atomic'; readonly op: number; readonly rd: Register; readonly rs2: Register }
  | { readonly kind: 'csr'; readonly number: number; readonly rd: Register }
  /** A store over the instruction that follows. */
  | { readonly kind: 'rewrite'; readonly immediate: number }
  | { readonly kind: 'trap' };

const working = fc.constantFrom(...WORKING);
const straight: readonly fc.WeightedArbitrary<Statement>[] = [
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('compute' as const),
      op: fc.nat({ max: 57 }),
      rd: working,
      rs1: working,
      rs2: working,
      immediate: fc.integer({ min: -2048, max: 2047 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('load' as const, 'store' as const),
      width: fc.nat({ max: 4 }),
      register: working,
      at: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: -64, max: 63 }).map((word) => 4 * word) },
        fc.integer({ min: -9, max: 9 }),
      ),
    }),
  },
];
/** What leads out of translated code, or ends it. */
const disturbing: readonly fc.WeightedArbitrary<Statement>[] = [
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('rewrite' as const), immediate: fc.nat({ max: 2047 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('atomic' as const),
      op: fc.nat({ max: 6 }),
      rd: working,
      rs2: working,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('csr' as const), number: fc.nat({ max: 5 }), rd: working }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'trap' as const }) },
];

const programOf = (simple: fc.Arbitrary<Statement>) =>
  fc.letrec<{ statements: readonly Statement[]; statement: Statement }>((tie) => ({
    statement: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 8, arbitrary: simple },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('loop' as const),
          times: fc.integer({ min: 1, max: 9 }),
          body: tie('statements'),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('choice' as const),
          op: fc.nat({ max: 5 }),
          rs1: working,
          rs2: working,
          body: tie('statements'),
          otherwise: tie('statements'),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('call' as const), callee: fc.nat({ max: FUNCTIONS - 1 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('table' as const),
          index: working,
          cases: fc.array(tie('statements'), { minLength: 2, maxLength: 4 }),
        }),
      },
    ),
    statements: fc.array(tie('statement'), { minLength: 1, maxLength: 6 }),
  }));

const guestOf = ({ statements }: ReturnType<typeof programOf>): fc.Arbitrary<RandomGuest> =>
  fc
    .record({
      main: statements,
      functions: fc.array(statements, { minLength: FUNCTIONS, maxLength: FUNCTIONS }),
      registers: fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 31, maxLength: 31 }),
      user: fc.boolean(),
      timer: fc.integer({ min: 6, max: 60 }),
    })
    .map(({ main, functions, registers, user, timer }) => ({
      words: [...new Writer().program(main, functions)],
      registers,
      user,
      mstatus: 0x8,
      mie: 0x888,
      timer,
      mtvec: undefined,
    }))
    .filter(({ words }) => words.length < MAX_WORDS);

/** Programs whose way is structured as compilers leave it: loops, branches, calls and returns, tables of jumps. */
export const loopingGuest = guestOf(programOf(fc.oneof(...straight, ...disturbing)));

/**
 * Likewise, but without what leads out of translated code, and with rare interrupts: it runs for long at full speed.
 */
export const steadyGuest = guestOf(programOf(fc.oneof(...straight))).map((guest) => ({
  ...guest,
  timer: 997 * guest.timer,
}));

const REGISTER_OPERATIONS = [
  'add',
  'sub',
  'sll',
  'slt',
  'sltu',
  'xor',
  'srl',
  'sra',
  'or',
  'and',
  'mul',
  'mulh',
  'mulhsu',
  'mulhu',
  'div',
  'divu',
  'rem',
  'remu',
] as const;
const IMMEDIATE_OPERATIONS = ['addi', 'slti', 'sltiu', 'xori', 'ori', 'andi'] as const;
const BIT_OPERATIONS = [
  'sh1add',
  'sh2add',
  'sh3add',
  'andn',
  'orn',
  'xnor',
  'min',
  'minu',
  'max',
  'maxu',
  'rol',
  'ror',
  'bset',
  'bclr',
  'bext',
  'binv',
] as const;
const BIT_SHIFTS = ['rori', 'bseti', 'bclri', 'bexti', 'binvi'] as const;
const UNARY_OPERATIONS = ['clz', 'ctz', 'cpop', 'sext.b', 'sext.h', 'orc.b', 'rev8', 'zext.h'] as const;
const LOADS = ['lw', 'lb', 'lbu', 'lh', 'lhu'] as const;
const STORES = ['sw', 'sb', 'sw', 'sh', 'sh'] as const;
const BRANCHES = ['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'] as const satisfies readonly BranchOperation[];

const ATOMICS = ['sc', 'amoadd', 'amoswap', 'amoxor', 'amomaxu', 'amomin'] as const;
const CSRS = [CSR.cycle, CSR.time, CSR.minstret, CSR.mstatus, CSR.mscratch, CSR.mcause] as const;

class Writer {
  private readonly code = new Assembler(CODE);
  private labels = 0;

  program(main: readonly Statement[], functions: readonly (readonly Statement[])[]): Uint32Array {
    const { code } = this;
    code.label('main');
    this.all(main, 0, -1);
    code.jump('main');
    functions.forEach((body, index) => {
      // Each keeps its return address in a word of its own: none calls itself or one before it.
      code.label(`function ${index}`).store('sw', 'ra', 'sp', -512 - 4 * index);
      this.all(body, 0, index);
      code.load('lw', 'ra', 'sp', -512 - 4 * index).jalr('zero', 'ra');
    });
    return code.words();
  }

  private all(statements: readonly Statement[], depth: number, within: number): void {
    for (const statement of statements) this.one(statement, depth, within);
  }

  private fresh(): string {
    this.labels += 1;
    return `label ${this.labels}`;
  }

  private one(statement: Statement, depth: number, within: number): void {
    const { code } = this;
    switch (statement.kind) {
      case 'compute': {
        const { op, rd, rs1, rs2, immediate } = statement;
        const operation = REGISTER_OPERATIONS[op];
        if (operation !== undefined) code.op(operation, rd, rs1, rs2);
        else if (op < 24) code.imm(IMMEDIATE_OPERATIONS[op - 18] ?? 'addi', rd, rs1, immediate);
        else if (op < 26) code.shift(op === 24 ? 'slli' : 'srai', rd, rs1, immediate & 31);
        else this.manipulate(op - 26, rd, rs1, rs2, immediate & 31);
        return;
      }
      case 'load':
        code.load(LOADS[statement.width] ?? 'lw', statement.register, 'sp', statement.at);
        return;
      case 'store':
        code.store(STORES[statement.width] ?? 'sw', statement.register, 'sp', statement.at);
        return;
      case 'loop': {
        const counter = COUNTERS[depth];
        if (counter === undefined || within >= 0) {
          this.all(statement.body, depth, within);
          return;
        }
        const top = this.fresh();
        code.li(counter, statement.times).label(top);
        this.all(statement.body, depth + 1, within);
        code.addi(counter, counter, -1).branch('bne', counter, 'zero', top);
        return;
      }
      case 'choice': {
        const otherwise = this.fresh();
        const end = this.fresh();
        code.branch(BRANCHES[statement.op] ?? 'beq', statement.rs1, statement.rs2, otherwise);
        this.all(statement.body, depth, within);
        code.jump(end).label(otherwise);
        this.all(statement.otherwise, depth, within);
        code.label(end);
        return;
      }
      case 'call':
        if (statement.callee > within) code.jal('ra', `function ${statement.callee}`);
        return;
      case 'table': {
        const end = this.fresh();
        const count = 1 << Math.floor(Math.log2(statement.cases.length));
        // Each entry of the table is a jump; the index is taken of the low bits.
        const entries = statement.cases.slice(0, count).map((cases) => ({ label: this.fresh(), cases }));
        code.imm('andi', 'a6', statement.index, count - 1).shift('slli', 'a6', 'a6', 2);
        code.auipc('a7', 0).op('add', 'a7', 'a7', 'a6').jalr('zero', 'a7', 12);
        for (const { label } of entries) code.jump(label);
        for (const { label, cases } of entries) {
          code.label(label);
          this.all(cases, depth, within);
          code.jump(end);
        }
        code.label(end);
        return;
      }
      case 'atomic': {
        const { op, rd, rs2 } = statement;
        code.imm('andi', 'a6', 'sp', -4);
        if (op === 0) code.atomic('lr', rd, 'zero', 'a6');
        else code.atomic(ATOMICS[op - 1] ?? 'sc', rd, rs2, 'a6');
        return;
      }
      case 'csr':
        code.csrr(statement.rd, CSRS[statement.number] ?? CSR.cycle);
        return;
      case 'rewrite': {
        const addi = (statement.immediate << 20) | (10 << 15) | (10 << 7) | 0x13;
        code.li('a6', addi).auipc('a7', 0).store('sw', 'a6', 'a7', 8).addi('a0', 'a0', 1);
        return;
      }
      case 'trap':
        code.ecall();
    }
  }

  /** An instruction of Zba, Zbb or Zbs. */
  private manipulate(index: number, rd: Register, rs1: Register, rs2: Register, amount: number): void {
    const { code } = this;
    const operation = BIT_OPERATIONS[index];
    const shift = BIT_SHIFTS[index - BIT_OPERATIONS.length];
    const unary = UNARY_OPERATIONS[index - BIT_OPERATIONS.length - BIT_SHIFTS.length];
    if (operation !== undefined) code.bits(operation, rd, rs1, rs2);
    else if (shift !== undefined) code.bitShift(shift, rd, rs1, amount);
    else if (unary !== undefined) code.unary(unary, rd, rs1);
    // C.ADDI a0, 1: what follows is not aligned to words any more.
    else code.half(0x0505);
  }
}
