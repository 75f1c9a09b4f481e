import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROGRAMS, programRounds, readProgram, type ProgramName } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const names = Object.keys(PROGRAMS) as ProgramName[];
const ROUNDS = 3;

/** What each prints after three rounds, as built for x86-64 and run there. */
const KNOWN: Readonly<Record<ProgramName, string>> = {
  bits: '3df49ec2',
  copies: '218878ea',
  crypto: 'f25608a9',
  hashing: '456d716f',
  lists: '65a3a39b',
  matrix: '678b4b8b',
  parsing: 'bf8a01a5',
  primes: '13bed224',
  recursion: '68166d6c',
  reedsolomon: '6be7a8b2',
  sorting: '4fbc7531',
  states: '44f2525f',
};

async function outputOf(name: ProgramName, engine: 'interpreter' | 'translator'): Promise<string> {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({
    name,
    elf: readProgram(name),
    bootData: [programRounds(ROUNDS)],
    engine,
  });
  await hypervisor.run();
  const { exitCode, committedOutput } = machine;
  await hypervisor.close();
  expect(exitCode).toBe(0);
  return new TextDecoder().decode(committedOutput);
}

describe.each(names)('the program %s', (name) => {
  it.each(['interpreter', 'translator'] as const)('prints its known digest on the %s', async (engine) => {
    expect(await outputOf(name, engine)).toBe(`${name}: ok ${KNOWN[name]}\n`);
  });
});

const hasCompiler = spawnSync('cc', ['--version']).error === undefined;

describe.skipIf(!hasCompiler)('programs that are built for the machine of the tests', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rmk-programs-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(names)('%s comes to the same digest there', (name) => {
    const program = join(folder, name);
    const sources = [`guest/programs/${name}.c`, 'test/native/main.c'].map((file) => join(PACKAGE, file));
    execFileSync('cc', [
      '-std=gnu11',
      '-O1',
      `-I${join(PACKAGE, 'guest/programs')}`,
      ...sources,
      '-o',
      program,
    ]);
    expect(execFileSync(program, [String(ROUNDS)], { encoding: 'utf8' })).toBe(
      `${name}: ok ${KNOWN[name]}\n`,
    );
  });
});

describe('the programs for measurements', () => {
  it('take the rounds from a boot file of one word', () => {
    expect(programRounds(7).data).toEqual(Uint8Array.of(0x52, 0x4d, 0x4b, 0x46, 4, 0, 0, 0, 7, 0, 0, 0));
  });

  it('refuses names and numbers that there are not', () => {
    expect(() => readProgram('dhrystone' as ProgramName)).toThrow('RMK_ERR_UNKNOWN');
    expect(() => programRounds(0.5)).toThrow('RMK_ERR_INPUT');
  });
});
