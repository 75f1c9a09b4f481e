import { ExceptionCause } from './privileged.js';

/** The causes of `signal` facts, by the number that mcause holds. */
const NAMES: Readonly<Record<ExceptionCause, string>> = {
  [ExceptionCause.INSTRUCTION_MISALIGNED]: 'instruction-address-misaligned',
  [ExceptionCause.INSTRUCTION_ACCESS_FAULT]: 'instruction-access-fault',
  [ExceptionCause.ILLEGAL_INSTRUCTION]: 'illegal-instruction',
  [ExceptionCause.BREAKPOINT]: 'breakpoint',
  [ExceptionCause.LOAD_MISALIGNED]: 'load-address-misaligned',
  [ExceptionCause.LOAD_ACCESS_FAULT]: 'load-access-fault',
  [ExceptionCause.STORE_MISALIGNED]: 'store-address-misaligned',
  [ExceptionCause.STORE_ACCESS_FAULT]: 'store-access-fault',
  [ExceptionCause.ECALL_FROM_USER]: 'environment-call-from-user',
  [ExceptionCause.ECALL_FROM_MACHINE]: 'environment-call-from-machine',
};

/** Reported when the guest switches itself off with a failure code. */
export const EXIT_FAILURE = 'exit-failure';

export const EXCEPTION_NAMES: readonly string[] = Object.values(NAMES);

export function exceptionName(cause: number): string {
  return NAMES[cause as ExceptionCause];
}

export function exceptionNamed(name: string): ExceptionCause | undefined {
  return Object.values(ExceptionCause).find((cause) => NAMES[cause] === name);
}
