import { RmkError } from '@rmk/core';
import { writableMstatus, writableMtvec, WRITABLE_MCOUNTEREN, WRITABLE_MIE } from './csr.js';
import type { HartState } from './hartState.js';
import { MACHINE, USER } from './privileged.js';

/** The registers that can be read and written by name: the names that come first where there are several. */
export const REGISTER_NAMES: readonly string[] = [
  'pc',
  ...Array.from({ length: 31 }, (_, index) => `x${index + 1}`),
  'privilege',
  'mstatus',
  'mie',
  'mip',
  'mtvec',
  'mscratch',
  'mepc',
  'mcause',
  'mtval',
  'mcounteren',
];

const ABI_NAMES =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6';

/** Numbers of the integer registers by architectural and ABI name. x0 is a constant, not a register. */
const INTEGER_REGISTERS: ReadonlyMap<string, number> = new Map([
  ...ABI_NAMES.split(' ').flatMap((name, index): [string, number][] =>
    index === 0
      ? []
      : [
          [`x${index}`, index],
          [name, index],
        ],
  ),
  ['fp', 8],
]);

/**
 * One of {@link REGISTER_NAMES} or an ABI name (`'ra'`, `'sp'`, ...), unsigned.
 *
 * @throws RmkError `RMK_ERR_UNKNOWN` if there is no such register.
 */
export function readRegister(state: HartState, name: string): bigint {
  return BigInt(read(state, name) >>> 0);
}

/**
 * Sets a register. Control registers keep what their fields allow, as after a CSR write.
 *
 * @throws RmkError `RMK_ERR_UNKNOWN` if there is no such register; `RMK_ERR_INPUT` for a value that is not an
 * unsigned 32-bit number or that the register cannot hold, and for mip, whose bits belong to the devices.
 */
export function writeRegister(state: HartState, name: string, value: bigint): void {
  if (value < 0n || value > 0xffff_ffffn) {
    throw refused(name, value, 'registers hold 32 bits; give a value from 0 to 0xffffffff');
  }
  write(state, name, Number(value) | 0, value);
}

function read(state: HartState, name: string): number {
  switch (name) {
    case 'pc':
      return state.pc;
    case 'privilege':
      return state.privilege;
    case 'mstatus':
      return state.mstatus;
    case 'mie':
      return state.mie;
    case 'mip':
      return state.mip;
    case 'mtvec':
      return state.mtvec;
    case 'mscratch':
      return state.mscratch;
    case 'mepc':
      return state.mepc;
    case 'mcause':
      return state.mcause;
    case 'mtval':
      return state.mtval;
    case 'mcounteren':
      return state.mcounteren;
    default:
      return state.x[integerRegister(name)] ?? 0;
  }
}

function write(state: HartState, name: string, bits: number, value: bigint): void {
  switch (name) {
    case 'pc':
      if ((bits & 1) !== 0) throw refused(name, value, 'instructions lie at multiples of 2');
      state.pc = bits;
      return;
    case 'privilege':
      if (bits !== USER && bits !== MACHINE)
        throw refused(name, value, 'the hart has 0 (user) and 3 (machine)');
      state.privilege = bits;
      return;
    case 'mstatus':
      state.mstatus = writableMstatus(state.mstatus, bits);
      return;
    case 'mie':
      state.mie = bits & WRITABLE_MIE;
      return;
    case 'mip':
      throw refused(name, value, 'its bits are the devices’; write the CLINT’s msip or mtimecmp instead');
    case 'mtvec':
      state.mtvec = writableMtvec(state.mtvec, bits);
      return;
    case 'mscratch':
      state.mscratch = bits;
      return;
    case 'mepc':
      state.mepc = bits & ~1;
      return;
    case 'mcause':
      state.mcause = bits;
      return;
    case 'mtval':
      state.mtval = bits;
      return;
    case 'mcounteren':
      state.mcounteren = bits & WRITABLE_MCOUNTEREN;
      return;
    default:
      state.x[integerRegister(name)] = bits;
  }
}

function integerRegister(name: string): number {
  const register = INTEGER_REGISTERS.get(name);
  if (register !== undefined) return register;
  throw new RmkError(
    'RMK_ERR_UNKNOWN',
    `the hart has no register '${name}'; it has ${REGISTER_NAMES.join(', ')} and the ABI names ra, sp, gp, …`,
  );
}

function refused(name: string, value: bigint, reason: string): RmkError {
  const shown = value < 0n ? String(value) : `0x${value.toString(16)}`;
  return new RmkError('RMK_ERR_INPUT', `register '${name}' cannot be set to ${shown}: ${reason}`);
}
