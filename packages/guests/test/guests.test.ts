import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { BOOT_FILE_ADDRESS, BOOT_FILE_MAX_BYTES, GUESTS, type GuestName, readGuest } from '@rmk/guests';
import { describe, expect, it } from 'vitest';

import { ElfFile } from './elfFile.js';

const JUMP_TO_ITSELF = 0x0000_006f;
const RAM_BASE = 0x8000_0000;
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const names = Object.keys(GUESTS) as GuestName[];

/** By path within the folder, sorted. */
function elfsIn(folder: string): ReadonlyMap<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  return new Map(
    files
      .filter((file) => file.endsWith('.elf'))
      .map((file): [string, Buffer] => [file, readFileSync(join(folder, file))]),
  );
}

describe.each(names)('the ELF of %s', (name) => {
  const elf = new ElfFile(readGuest(name));

  it('is a 32-bit little-endian RISC-V executable that says whether it has compressed instructions', () => {
    expect([...elf.bytes.subarray(0, 7)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
    const executable = 2;
    const riscv = 243;
    expect([elf.half(16), elf.half(18)]).toEqual([executable, riscv]);
    const compressedFlag = 1;
    expect(elf.word(36) & compressedFlag).toBe(name === 'rtos' ? compressedFlag : 0);
  });

  it('starts at the beginning of RAM and leaves the boot file and what is above it alone', () => {
    expect(elf.word(24)).toBe(RAM_BASE);
    for (const segment of elf.segments) {
      expect(segment.address).toBeGreaterThanOrEqual(RAM_BASE);
      expect(segment.address + segment.memoryBytes).toBeLessThanOrEqual(elf.symbols.get('heap_start') ?? 0);
    }
    expect(elf.symbols.get('heap_end')).toBe(BOOT_FILE_ADDRESS);
  });

  it('has no page of data that is also code', () => {
    const pages = elf.segments.map(({ address, memoryBytes }) => [
      Math.floor(address / 4096),
      Math.floor((address + memoryBytes - 1) / 4096),
    ]);
    expect(pages).toHaveLength(2);
    expect(pages[1]?.[0]).toBeGreaterThan(pages[0]?.[1] ?? Infinity);
  });

  it('parks with a jump to itself', () => {
    expect(elf.wordAt(elf.symbols.get('park') ?? 0)).toBe(JUMP_TO_ITSELF);
  });

  it('names no file of the machine that built it', () => {
    expect(Buffer.from(elf.bytes).toString('latin1')).not.toMatch(/\/(home|root|tmp|usr|work|Users)\//);
    expect([...elf.symbols.keys()].filter((symbol) => /^cc\w{6}\.o$/.test(symbol))).toEqual([]);
  });
});

describe('readGuest', () => {
  it.each(['taks', 'toString', '../package.json'])('names the guests there are for %s', (name) => {
    expect(() => readGuest(name as GuestName)).toThrow(
      `RMK_ERR_UNKNOWN: unknown guest "${name}". The guests of RMK are compressor, interpreter, rtos, search, server, tasks.`,
    );
  });
});

describe('the ELF of tasks', () => {
  it('parks a task with a jump to itself', () => {
    const elf = new ElfFile(readGuest('tasks'));
    expect(elf.wordAt(elf.symbols.get('task_park') ?? 0)).toBe(JUMP_TO_ITSELF);
  });
});

describe('the ELF of compressor', () => {
  it('looks for the boot file where bootFile puts it', () => {
    const board = readFileSync(join(PACKAGE, 'guest/runtime/board.h'), 'utf8');
    expect(board).toContain(`#define BOOT_FILE_BASE 0x${BOOT_FILE_ADDRESS.toString(16)}\n`);
    const [, factors = ''] = /#define BOOT_FILE_MAX_BYTES \(([\d *]+)\)\n/.exec(board) ?? [];
    expect(factors.split(' * ').reduce((product, factor) => product * Number(factor), 1)).toBe(
      BOOT_FILE_MAX_BYTES,
    );
  });
});

describe('the build', () => {
  const pinned = JSON.parse(readFileSync(join(PACKAGE, 'compiler.json'), 'utf8')) as Readonly<
    Record<'command' | 'debianPackage' | 'debianRelease' | 'version', string>
  >;
  // Another compiler may give other bytes.
  const { stdout, error } = spawnSync(pinned.command, ['--version'], { encoding: 'utf8' });
  const installed = error === undefined ? stdout.split('\n')[0]?.replace(/^\S+ /, '') : undefined;
  const wanted = `${pinned.debianPackage} ${pinned.version} of Debian ${pinned.debianRelease}`;
  const why =
    installed === pinned.version ? '' : `it takes ${wanted}; ${installed ?? 'no compiler'} is installed`;
  // Where `CI` is `true` nobody reads what was skipped.
  const isSkipped = why !== '' && process.env['CI'] !== 'true';

  it(`was done with ${wanted}, as the ELFs say themselves`, () => {
    for (const name of names) {
      const elf = new ElfFile(readGuest(name));
      expect(elf.text(elf.sectionNamed('.comment').offset), name).toBe(`GCC: ${pinned.version}`);
    }
  });

  const committed = elfsIn(join(PACKAGE, 'elf'));
  const note = isSkipped ? ` (skipped: ${why})` : '';
  it.skipIf(isSkipped).each([...committed.keys()])(`gives the same bytes of %s again${note}`, (file) => {
    expect(why).toBe('');
    const folder = mkdtempSync(join(tmpdir(), 'rmk-guests-'));
    try {
      execFileSync(process.execPath, [join(PACKAGE, 'build.mjs'), folder, file.replace(/\.elf$/, '')]);
      const built = elfsIn(folder);
      expect([...built.keys()]).toEqual([file]);
      expect(committed.get(file)).toEqual(built.get(file));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('makes an ELF of each guest, of each program and of each workload', () => {
    const programs = ['programs', 'workloads'].flatMap((folder) =>
      readdirSync(join(PACKAGE, 'guest', folder))
        .filter((file) => file.endsWith('.c') && file !== 'main.c')
        .map((file) => `${folder}/${file.replace(/\.c$/, '')}`),
    );
    const made = [...names, ...programs];
    expect([...committed.keys()]).toEqual(made.map((name) => `${name}.elf`).toSorted());
  });

  it('says what is missing where there is no compiler', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(PACKAGE, 'build.mjs')], {
      encoding: 'utf8',
      env: { PATH: '' },
    });
    expect(status).toBe(1);
    expect(stderr).toBe(
      'build.mjs: riscv64-unknown-elf-gcc is not installed. On Debian: apt-get install gcc-riscv64-unknown-elf\n',
    );
  });
});
