import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programRounds, readWorkload, WORKLOADS, type WorkloadName } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LONG } from '../../../test/long.js';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const names = Object.keys(WORKLOADS) as WorkloadName[];
const ENGINES = LONG ? (['interpreter', 'translator'] as const) : (['interpreter'] as const);

/** What each prints after one round, as built for x86-64 and run there. */
const KNOWN: Readonly<Record<WorkloadName, string>> = {
  packer: '14b5eea2',
  bytecode: 'd6553350',
  frontend: 'cda3c46d',
  flow: 'd1f115b9',
  kalah: '8401d6b1',
  alignment: '04e731fe',
  events: 'b08ffa25',
  paths: '42c9dd94',
};

describe.each(names)('the workload %s', (name) => {
  it.each(ENGINES)('prints its known digest on the %s', async (engine) => {
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine({
      name,
      elf: readWorkload(name),
      bootData: [programRounds(1)],
      engine,
    });
    await hypervisor.run();
    const { exitCode, committedOutput } = machine;
    await hypervisor.close();
    expect(exitCode).toBe(0);
    expect(new TextDecoder().decode(committedOutput)).toBe(`${name}: ok ${KNOWN[name]}\n`);
  });
});

const hasCompiler = spawnSync('cc', ['--version']).error === undefined;

describe.skipIf(!hasCompiler)('workloads that are built for the machine of the tests', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rmk-workloads-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(names)('%s comes to the same digest there', (name) => {
    const workload = join(folder, name);
    const sources = [`guest/workloads/${name}.c`, 'test/native/main.c'].map((file) => join(PACKAGE, file));
    const include = `-I${join(PACKAGE, 'guest/programs')}`;
    execFileSync('cc', ['-std=gnu11', '-O1', include, ...sources, '-o', workload]);
    expect(execFileSync(workload, ['1'], { encoding: 'utf8' })).toBe(`${name}: ok ${KNOWN[name]}\n`);
  });
});

describe('readWorkload', () => {
  it('names the workloads there are', () => {
    expect(() => readWorkload('gcc' as WorkloadName)).toThrow(
      'RMK_ERR_UNKNOWN: unknown workload "gcc". The workloads of RMK are packer, bytecode, frontend',
    );
  });
});
