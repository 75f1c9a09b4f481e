import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bootFile,
  GUESTS,
  programRounds,
  readGuest,
  readWorkload,
  WORKLOADS,
  type GuestName,
  type WorkloadName,
} from '@rmk/guests';
import type { OracleGuest } from './guest.js';

/** A real file: a program. */
const FILE_BYTES = 20_000;

/** What guests that work on input are sent; the last line of each ends its guest. */
const INPUTS: Partial<Record<GuestName, readonly string[]>> = {
  server: [
    ...Array.from({ length: 60 }, (_, index) =>
      [
        `a${index} put key.${index % 17} ${index * 2_654_435}`,
        `b${index} incr key.${index % 5}`,
        `c${index} get key.${index % 23}`,
        index % 9 === 0 ? `d${index} drop everything` : `d${index} sum`,
      ].join('\n'),
    ),
    'end quit',
  ],
};

/** All guests that come with RMK, with what they want at boot and on the serial line. */
export function ownGuests(): readonly OracleGuest[] {
  return (Object.keys(GUESTS) as GuestName[]).map((name) => {
    const { memoryBytes, takesBootFile, takesInput } = GUESTS[name];
    const input = INPUTS[name];
    if (takesInput && input === undefined) {
      throw new Error(`the guest ${name} takes input: write some for it into ${import.meta.url}`);
    }
    const file = readGuest('tasks').subarray(0, FILE_BYTES);
    return {
      name,
      elf: readGuest(name),
      memoryBytes,
      ...(takesBootFile ? { bootData: [bootFile(file, 'tasks.elf')] } : {}),
      ...(input === undefined ? {} : { input: new TextEncoder().encode(`${input.join('\n')}\n`) }),
    };
  });
}

const MEBIBYTE = 1 << 20;
const DEFAULT_MEMORY_MIB = 32;
const WORKLOAD_ROUNDS = 2;

/** The workloads of the evaluation, for two rounds each. */
export function workloads(): readonly OracleGuest[] {
  return (Object.keys(WORKLOADS) as WorkloadName[]).map((name) => ({
    name,
    elf: readWorkload(name),
    memoryBytes: DEFAULT_MEMORY_MIB * MEBIBYTE,
    bootData: [programRounds(WORKLOAD_ROUNDS)],
  }));
}

/**
 * The guests of a user: each `<name>.elf` of a folder, with what lies beside it. `<name>.input` is sent on the serial
 * line, `<name>@<hexadecimal address>.bin` is laid into memory before boot.
 */
export function guestsIn(folder: string, memoryMib = DEFAULT_MEMORY_MIB): readonly OracleGuest[] {
  const files = readdirSync(folder).toSorted();
  const names = files.filter((file) => file.endsWith('.elf')).map((file) => file.slice(0, -'.elf'.length));
  if (names.length === 0) throw new Error(`there is no file *.elf in ${folder}`);
  return names.map((name) => {
    const input = join(folder, `${name}.input`);
    return {
      name,
      elf: readFileSync(join(folder, `${name}.elf`)),
      memoryBytes: memoryMib * MEBIBYTE,
      bootData: files.flatMap((file) => {
        const [, owner, address = ''] = /^(.*)@([0-9a-f]+)\.bin$/i.exec(file) ?? [];
        if (owner !== name) return [];
        return [{ address: Number.parseInt(address, 16), data: readFileSync(join(folder, file)) }];
      }),
      ...(existsSync(input) ? { input: readFileSync(input) } : {}),
    };
  });
}

/**
 * Those of the folder that `RMK_ORACLE_ELFS` names, with `RMK_ORACLE_MEMORY_MIB` of RAM each; none where it is not set.
 */
export function usersGuests(): readonly OracleGuest[] {
  const { RMK_ORACLE_ELFS: folder, RMK_ORACLE_MEMORY_MIB: memory } = process.env;
  if (folder === undefined || folder === '') return [];
  return guestsIn(folder, memory === undefined ? undefined : Number(memory));
}
