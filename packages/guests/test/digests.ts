import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programRounds } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

export type Engine = 'interpreter' | 'translator';

/** Programs that take their number of rounds from a boot file and print a digest of what they computed. */
export interface Digests {
  /** What errors call one of them, and the folder of their sources below `guest`. */
  readonly kind: 'program' | 'workload';
  readonly elfOf: (name: string) => Uint8Array;
  readonly rounds: number;
  readonly engines: readonly Engine[];
  /** What each prints after so many rounds, as built for x86-64 and run there. */
  readonly known: Readonly<Record<string, string>>;
}

/** Compares the known digests with what the engines print, and with a build for the machine of the tests. */
export function describeDigests({ kind, elfOf, rounds, engines, known }: Digests): void {
  const names = Object.keys(known);
  const lineOf = (name: string): string => `${name}: ok ${known[name]}\n`;

  describe.each(names)(`the ${kind} %s`, (name) => {
    it.each(engines)('prints its known digest on the %s', async (engine) => {
      const hypervisor = new EmbeddedHypervisor();
      const bootData = [programRounds(rounds)];
      const machine = hypervisor.createMachine({ name, elf: elfOf(name), bootData, engine });
      await hypervisor.run();
      const { exitCode, committedOutput } = machine;
      await hypervisor.close();
      expect(exitCode).toBe(0);
      expect(new TextDecoder().decode(committedOutput)).toBe(lineOf(name));
    });
  });

  const hasCompiler = spawnSync('cc', ['--version']).error === undefined;

  describe.skipIf(!hasCompiler)(`${kind}s that are built for the machine of the tests`, () => {
    let folder = '';
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), `rmk-${kind}s-`));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each(names)('%s comes to the same digest there', (name) => {
      const built = join(folder, name);
      const sources = [`guest/${kind}s/${name}.c`, 'test/native/main.c'].map((file) => join(PACKAGE, file));
      const include = `-I${join(PACKAGE, 'guest/programs')}`;
      execFileSync('cc', ['-std=gnu11', '-O1', include, ...sources, '-o', built]);
      expect(execFileSync(built, [String(rounds)], { encoding: 'utf8' })).toBe(lineOf(name));
    });
  });
}
