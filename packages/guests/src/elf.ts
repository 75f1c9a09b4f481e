import { readFileSync } from 'node:fs';
import { RmkError } from '@rmk/core';

/** What the ELF is of, as errors call it, and where those of its kind lie. */
const FOLDERS = { guest: '', program: 'programs/', workload: 'workloads/' } as const;

/** Reads a built ELF. Throws RMK_ERR_UNKNOWN unless `known` has `name`. */
export function readElf(kind: keyof typeof FOLDERS, name: string, known: object): Uint8Array {
  if (!Object.hasOwn(known, name)) {
    const names = Object.keys(known).join(', ');
    throw new RmkError(
      'RMK_ERR_UNKNOWN',
      `unknown ${kind} ${JSON.stringify(name)}. The ${kind}s of RMK are ${names}.`,
    );
  }
  // `src` and `dist` both lie beside `elf`.
  return readFileSync(new URL(`../elf/${FOLDERS[kind]}${name}.elf`, import.meta.url));
}
