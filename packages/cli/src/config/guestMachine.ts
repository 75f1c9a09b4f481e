import { resolve } from 'node:path';
import { hasCode, type RmkError } from '@rmk/core';
import { bootFile, GUESTS, readGuest } from '@rmk/guests';
import {
  parseProgram,
  type EmbeddedHypervisor,
  type EmbeddedMachine,
  type MachineOptions,
} from '@rmk/hypervisor-embedded';
import type { GuestEntry } from './configSchema.js';
import { readInputFile } from './inputFile.js';
import { readInputScript, type InputChunk } from './inputScript.js';
import type { ConfigPath, Problems } from './problems.js';

type BootData = NonNullable<MachineOptions['bootData']>;

/** Loads a guest into a machine of its own; undefined where it has problems. Paths are relative to `folder`. */
export function guestMachine(
  guest: GuestEntry,
  hypervisor: EmbeddedHypervisor,
  folder: string,
  at: ConfigPath,
  problems: Problems,
): EmbeddedMachine | undefined {
  return loadGuest(guest, hypervisor, folder, at, problems)?.machine;
}

/** A loaded guest, and the options with which any number of machines like it can be made. */
export interface LoadedGuest {
  readonly options: MachineOptions;
  readonly machine: EmbeddedMachine;
}

/** As {@link guestMachine}. */
export function loadGuest(
  guest: GuestEntry,
  hypervisor: EmbeddedHypervisor,
  folder: string,
  at: ConfigPath,
  problems: Problems,
): LoadedGuest | undefined {
  const before = problems.count;
  const elf = readElf(guest, folder, at, problems);
  const options: MachineOptions = {
    name: guest.name,
    // Without an ELF the rest is checked all the same.
    elf: elf?.data ?? new Uint8Array(0),
    ...(elf === undefined ? {} : { elfSource: elf.source }),
    ...memoryOf(guest, at, problems),
    ...(guest.logPages === undefined ? {} : { logPages: guest.logPages }),
    ...(guest.engine === undefined ? {} : { engine: guest.engine }),
    ...(guest.contextSwitch === undefined ? {} : { contextSwitch: guest.contextSwitch }),
    ...(guest.deviceTree === undefined ? {} : { deviceTree: guest.deviceTree }),
    ...(guest.bootArgs === undefined ? {} : { bootArgs: guest.bootArgs }),
    bootData: [...bootData(guest, folder, at, problems), ...fileOf(guest, folder, at, problems)],
    input: [...inputOf(guest, folder, at, problems)],
  };
  try {
    const machine = hypervisor.createMachine(options);
    return problems.count === before ? { options, machine } : undefined;
  } catch (error) {
    if (!hasCode(error)) throw error;
    if (error.code !== 'RMK_ERR_ELF') addProblems(error, guest, at, problems);
    else if (elf !== undefined)
      problems.add([...at, guest.elf === undefined ? 'guest' : 'elf'], error.reason);
    return undefined;
  }
}

function readElf(
  { name, elf, guest }: GuestEntry,
  folder: string,
  at: ConfigPath,
  problems: Problems,
): { readonly data: Uint8Array; readonly source: string } | undefined {
  if (guest !== undefined) return { data: readGuest(guest), source: `${guest}.elf` };
  // Already reported for the entry as a whole.
  if (elf === undefined) return undefined;
  const source = typeof elf === 'string' ? resolve(folder, elf) : `the ELF of ${name}`;
  return problems.attempt([...at, 'elf'], () => {
    const data = typeof elf === 'string' ? readInputFile(source) : elf;
    parseProgram(data, source);
    return { data, source };
  });
}

function memoryOf(
  { guest, memory }: GuestEntry,
  at: ConfigPath,
  problems: Problems,
): { readonly memoryBytes?: number } {
  const needed = guest === undefined ? undefined : GUESTS[guest].memoryBytes;
  if (needed !== undefined && memory !== undefined && memory < needed) {
    problems.add(
      [...at, 'memory'],
      `${guest} needs at least ${needed} bytes (it is ${memory}): leave it out, or give more`,
    );
    return {};
  }
  const memoryBytes = memory ?? needed;
  return memoryBytes === undefined ? {} : { memoryBytes };
}

function bootData(guest: GuestEntry, folder: string, at: ConfigPath, problems: Problems): BootData {
  return guest.bootData.flatMap(({ address, file, data }, index) => {
    const path = [...at, 'bootData', index];
    if ((file === undefined) === (data === undefined)) problems.add(path, 'give either `file` or `data`');
    const bytes = file === undefined ? data : readAt(file, folder, [...path, 'file'], problems);
    // A place holder keeps the numbers of the others.
    return [{ address, data: bytes ?? new Uint8Array(0) }];
  });
}

function fileOf({ guest, file }: GuestEntry, folder: string, at: ConfigPath, problems: Problems): BootData {
  const path = [...at, 'file'];
  if (problems.has(path)) return [];
  if (guest !== undefined && GUESTS[guest].takesBootFile !== (file !== undefined)) {
    problems.add(
      path,
      file === undefined ? `missing: ${guest} works on a file` : `${guest} takes no file: leave it out`,
    );
    return [];
  }
  if (file === undefined) return [];
  const data = typeof file === 'string' ? readAt(file, folder, path, problems) : file;
  if (data === undefined) return [];
  const source = typeof file === 'string' ? file : 'the bytes';
  const laidOut = problems.attempt(path, () => bootFile(data, source));
  return laidOut === undefined ? [] : [laidOut];
}

function inputOf(
  { input }: GuestEntry,
  folder: string,
  at: ConfigPath,
  problems: Problems,
): readonly InputChunk[] {
  const path = [...at, 'input'];
  if (typeof input === 'string') {
    const script = readAt(input, folder, path, problems);
    return readInputScript(new TextDecoder().decode(script), (line, message) =>
      problems.add(path, `${input}:${line}: ${message}`),
    );
  }
  return input.map(({ at: moment, text, line, bytes }, index) => {
    const given = [text, line, bytes].filter((content) => content !== undefined);
    if (given.length !== 1) problems.add([...path, index], 'give one of `text`, `line` and `bytes`');
    const encoder = new TextEncoder();
    return { at: moment, data: bytes ?? encoder.encode(text ?? (line === undefined ? '' : `${line}\n`)) };
  });
}

function readAt(file: string, folder: string, path: ConfigPath, problems: Problems): Uint8Array | undefined {
  return problems.attempt(path, () => readInputFile(resolve(folder, file)));
}

/** What the hypervisor says of its options, in the words of the config. */
function addProblems(error: RmkError, guest: GuestEntry, at: ConfigPath, problems: Problems): void {
  if (error.problems.length === 0) problems.add(at, error.reason);
  for (const problem of error.problems) {
    const { path, message } = problem;
    if (path === 'memoryBytes') problems.add([...at, 'memory'], `${message} (it is ${guest.memory} bytes)`);
    else if (path === `bootData[${guest.bootData.length}]`) problems.add([...at, 'file'], message);
    else problems.addWithin(at, [problem]);
  }
}
