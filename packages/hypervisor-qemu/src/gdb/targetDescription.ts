import type { GdbClient } from './gdbClient.js';

/** A register as the stub numbers it. */
export interface DescribedRegister {
  readonly number: number;
  readonly bits: number;
}

/**
 * The registers that the target description and the files that it includes name. The stub numbers them in the order of
 * its description, except those with a number of their own. QEMU returns no register before its description was read.
 */
export async function describedRegisters(gdb: GdbClient): Promise<ReadonlyMap<string, DescribedRegister>> {
  const target = await gdb.description('target.xml');
  const registers = new Map<string, DescribedRegister>();
  let next = 0;
  for (const [, file = ''] of target.matchAll(/<xi:include href="([^"]+)"/g)) {
    for (const [, attributes = ''] of (await descriptionOf(gdb, file)).matchAll(/<reg ([^>]*)>/g)) {
      const name = /name="([^"]+)"/.exec(attributes)?.[1] ?? '';
      const bits = /bitsize="(\d+)"/.exec(attributes)?.[1] ?? '';
      const number = /regnum="(\d+)"/.exec(attributes)?.[1];
      if (number !== undefined) next = Number(number);
      registers.set(name, { number: next, bits: Number(bits) });
      next += 1;
    }
  }
  return registers;
}

/** QEMU's own files have registers in comments. */
async function descriptionOf(gdb: GdbClient, file: string): Promise<string> {
  return (await gdb.description(file)).replaceAll(/<!--.*?-->/gs, '');
}
