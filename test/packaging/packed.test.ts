import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packPackages, type PackedPackages } from '../../scripts/packedPackages.mjs';
import { emptyFolder, installPacked } from './packedPackages.js';

const tarballs = emptyFolder('packed');
const consumer = emptyFolder('consumer');
const TYPESCRIPT = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
let packed: PackedPackages;

/** What a program in the consumer's folder prints, whether it fails or not. */
function outcomeOf(program: string, ...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { cwd: consumer.path, encoding: 'utf8' });
  return stdout + stderr;
}

/** Runs a program in the consumer's folder and gives what it printed; fails with all of it. */
function run(program: string, ...args: readonly string[]): string {
  try {
    return execFileSync(program, args, { cwd: consumer.path, encoding: 'utf8', maxBuffer: 1 << 26 });
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

beforeAll(async () => {
  packed = await packPackages(tarballs.path);
  cpSync(fileURLToPath(new URL('packedConsumer', import.meta.url)), consumer.path, { recursive: true });
  await installPacked(consumer.path, packed);
}, 240_000);

afterAll(() => {
  consumer[Symbol.dispose]();
  tarballs[Symbol.dispose]();
});

describe('the packages as published', () => {
  it('are what was installed, not links into the project', () => {
    const lock = JSON.parse(readFileSync(join(consumer.path, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, { readonly resolved?: string; readonly link?: true }>>;
    };
    const ours = Object.entries(lock.packages).filter(([path]) => path.startsWith('node_modules/@rmk/'));
    expect(ours.length).toBeGreaterThan(10);
    for (const [path, { resolved, link }] of ours) {
      expect(link, path).toBeUndefined();
      expect(resolved, path).toMatch(/^file:.*\.tgz$/);
    }
  });

  it('have types with which a strict program compiles, library checks included, and it recovers from a crash', () => {
    run(process.execPath, TYPESCRIPT, '--project', '.');
    expect(JSON.parse(run(process.execPath, 'dist/pipeline.js'))).toEqual({
      detections: ['crash by @rmk/pin-vmsignal'],
      recoveries: ['target'],
      exitCode: 0,
      outputIsGolden: true,
    });
  });

  it("declare a third party's event to who imports its package, and to nobody else", () => {
    const compile = (program: string): string => {
      writeFileSync(join(consumer.path, 'eventTypes.ts'), program);
      const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--lib', 'es2023,esnext.disposable'];
      return outcomeOf(
        process.execPath,
        TYPESCRIPT,
        '--ignoreConfig',
        ...flags,
        '--types',
        'node',
        'eventTypes.ts',
      );
    };
    const [imported, absent] = ['imported', 'absent'].map((name) =>
      readFileSync(new URL(`eventTypes/${name}/program.ts`, import.meta.url), 'utf8'),
    );
    expect(compile(imported ?? '')).toBe('');
    expect(compile(absent ?? '')).toBe('');
    // The expectation that there is no such event is a real one.
    expect(compile(`${absent}import type {} from '@rmk/silent-corruption-detector';\n`)).toContain(
      "Unused '@ts-expect-error' directive",
    );
  });

  it('bring `rmk inject`, whose worker threads start', () => {
    const lines = Array.from({ length: 12 }, (_, index) => `${index + 2}ms line a${index} incr key`);
    writeFileSync(join(consumer.path, 'requests.txt'), `${lines.join('\n')}\n15ms line z quit\n`);
    const experiment = {
      guest: { name: 'server', guest: 'server', input: './requests.txt' },
      protect: { interval: '1ms', retain: 2, hang: false },
      faults: ['wild-jump'],
      count: 4,
      grid: '1ms',
    };
    writeFileSync(join(consumer.path, 'jumps.json'), JSON.stringify(experiment));
    const said = run('npx', '--no-install', 'rmk', 'inject', 'jumps.json', '--workers', '2', '--json');
    expect(JSON.parse(said)).toMatchObject({ pooled: { injected: 4, detected: 4 } });
  });

  it.each(['recovery', 'checkpoint', 'hypervisor-embedded', 'pin-ptable', 'kernel'])(
    'work together where %s has a copy of core of its own: a damaged target leads to the next newer one',
    (name) => {
      const rmk = join(consumer.path, 'node_modules/@rmk');
      const ownCore = join(rmk, name, 'node_modules/@rmk/core');
      cpSync(join(rmk, 'core'), ownCore, { recursive: true });
      try {
        expect(JSON.parse(run(process.execPath, 'damagedTarget.mjs', `@rmk/${name}`))).toEqual({
          hasOwnCore: true,
          attempts: ['target: RMK_ERR_LOGDAMAGED', 'older: RMK_ERR_LOGDAMAGED', 'newer'],
          losses: [],
        });
      } finally {
        rmSync(ownCore, { recursive: true });
      }
    },
  );

  it('bring `rmk`, whose main job passes', () => {
    expect(JSON.parse(run('npx', '--no-install', 'rmk', 'start', '--json'))).toMatchObject({
      verdict: 'pass',
    });
  }, 240_000);
});
