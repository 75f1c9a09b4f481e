import { readFile, rename, writeFile } from 'node:fs/promises';
import { hasCode, messageOf, problemsOf, RmkError } from '@rmk/core';
import { z } from 'zod';

const absolute = z.string().regex(/^\/[^\0]*$/, 'expected an absolute path');

const ticks = z.string().regex(/^\d+$/);

const schema = z.strictObject({
  version: z.literal(1),
  name: z.string().min(1),
  pid: z.int().min(2),
  /** When the process started, in clock ticks since the host booted: another process of that number has another. */
  processStart: ticks,
  memoryBytes: z.int().min(1),
  ram: absolute,
  qmp: absolute,
  gdb: absolute,
  /** Undefined if QEMU runs without the library. */
  library: absolute.optional(),
  stderr: absolute.optional(),
  /** File that QEMU logs to (`-d cpu_reset -D`). Without it, every reset by the guest counts as a failure. */
  resetLog: absolute.optional(),
  /** Sockets of the serial devices, by their names; `serial` is the console. */
  devices: z.record(z.string(), absolute),
  heartbeat: z.string().optional(),
  /** The process of RMK that has the VM. Undefined while none has, and for a QEMU started by hand. */
  owner: z.strictObject({ pid: z.int().min(2), processStart: ticks }).optional(),
});

/** What a process of RMK needs to know of a QEMU that another one started. */
export type MachineState = z.output<typeof schema>;

/** Replaces the whole file or leaves it as it is. Throws `RMK_ERR_INPUT` if it cannot be written. */
export async function writeState(path: string, state: MachineState): Promise<void> {
  const unfinished = `${path}.new`;
  try {
    await writeFile(unfinished, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
    await rename(unfinished, path);
  } catch (error) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `the state file of the VM cannot be written: ${messageOf(error)}. Free space in its folder, or choose another folder.`,
      { cause: error },
    );
  }
}

/** Throws `RMK_ERR_INPUT` if it cannot be read, or is not what {@link writeState} writes. */
export async function readState(path: string): Promise<MachineState> {
  try {
    return checkState(JSON.parse(await readFile(path, 'utf8')), path);
  } catch (error) {
    if (hasCode(error)) throw error;
    throw new RmkError('RMK_ERR_INPUT', `${path} does not describe a VM: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Throws `RMK_ERR_INPUT` with every problem. */
export function checkState(value: unknown, source: string): MachineState {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new RmkError('RMK_ERR_INPUT', `${source} does not describe a VM`, {
    problems: problemsOf(result.error.issues),
  });
}
