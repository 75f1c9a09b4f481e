/** A register as gdb numbers it, and as the VM names it. */
export interface TargetRegister {
  readonly number: number;
  readonly gdbName: string;
  /** Undefined for the register that is always 0. */
  readonly name: string | undefined;
  readonly type: 'int' | 'code_ptr' | 'data_ptr';
}

const ABI_NAMES =
  'zero ra sp gp tp t0 t1 t2 fp s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6';
const CSR_NUMBERS: readonly (readonly [string, number])[] = [
  ['mstatus', 0x300],
  ['mie', 0x304],
  ['mtvec', 0x305],
  ['mcounteren', 0x306],
  ['mscratch', 0x340],
  ['mepc', 0x341],
  ['mcause', 0x342],
  ['mtval', 0x343],
  ['mip', 0x344],
];
/** Where gdb itself puts the control registers and the privilege level. */
const FIRST_CSR = 65;
const PRIVILEGE = FIRST_CSR + 4096;

function pointerType(name: string): TargetRegister['type'] {
  if (name === 'ra') return 'code_ptr';
  return ['sp', 'gp', 'tp', 'fp'].includes(name) ? 'data_ptr' : 'int';
}

/** The registers of a `g` packet, in its order. */
export const GENERAL_REGISTERS: readonly TargetRegister[] = [
  ...ABI_NAMES.split(' ').map((gdbName, number): TargetRegister => ({
    number,
    gdbName,
    name: number === 0 ? undefined : `x${number}`,
    type: pointerType(gdbName),
  })),
  { number: 32, gdbName: 'pc', name: 'pc', type: 'code_ptr' },
];

const CONTROL_REGISTERS = CSR_NUMBERS.map(([name, number]): TargetRegister => ({
  number: FIRST_CSR + number,
  gdbName: name,
  name,
  type: 'int',
}));
const VIRTUAL_REGISTERS: readonly TargetRegister[] = [
  { number: PRIVILEGE, gdbName: 'priv', name: 'privilege', type: 'int' },
];

const FEATURES = [
  ['org.gnu.gdb.riscv.cpu', GENERAL_REGISTERS],
  ['org.gnu.gdb.riscv.csr', CONTROL_REGISTERS],
  ['org.gnu.gdb.riscv.virtual', VIRTUAL_REGISTERS],
] as const;

/** All of them, by number. */
export const TARGET_REGISTERS: ReadonlyMap<number, TargetRegister> = new Map(
  FEATURES.flatMap(([, registers]) => registers.map((register) => [register.number, register])),
);

/** The description of the hart that gdb asks for. */
export const TARGET_DESCRIPTION = [
  '<?xml version="1.0"?>',
  '<!DOCTYPE target SYSTEM "gdb-target.dtd">',
  '<target version="1.0">',
  '<architecture>riscv:rv32</architecture>',
  ...FEATURES.flatMap(([feature, registers]) => [
    `<feature name="${feature}">`,
    ...registers.map(
      ({ gdbName, number, type }) =>
        `<reg name="${gdbName}" bitsize="32" regnum="${number}" type="${type}"/>`,
    ),
    '</feature>',
  ]),
  '</target>',
].join('\n');

/** All else is devices, which gdb must not read: that would change them. */
export function memoryMap(base: number, bytes: number): string {
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE memory-map PUBLIC "+//IDN gnu.org//DTD GDB Memory Map V1.0//EN" "http://sourceware.org/gdb/gdb-memory-map.dtd">',
    '<memory-map>',
    `<memory type="ram" start="${hex(base)}" length="${hex(bytes)}"/>`,
    '</memory-map>',
  ].join('\n');
}
