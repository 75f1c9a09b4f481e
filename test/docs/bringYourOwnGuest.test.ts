import { execSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync as readFile, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '@rmk/cli';
import { P_VCPU } from '@rmk/core';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { startRig } from '@rmk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guestsIn } from '../oracle/oracleGuests.js';
import { describeOracle } from '../oracle/qemu.js';
import { runEmbedded } from '../oracle/runEmbedded.js';
import { runUnderQemu } from '../oracle/runUnderQemu.js';

/** What the guide shows is taken from it, so that it cannot be wrong there and right here. */
const guide = readFile(new URL('../../docs/bring-your-own-guest.md', import.meta.url), 'utf8');

/** The contents of the first code block after `` `name` ``. */
function file(name: string): string {
  const [, contents] =
    new RegExp(`^\`${name}\`[\\s\\S]*?\n\`\`\`\\w+\n([\\s\\S]*?)\`\`\``, 'm').exec(guide) ?? [];
  if (contents === undefined) throw new Error(`the guide shows no file ${name}`);
  return contents;
}

const [, compilerLine = ''] = /^(riscv64-unknown-elf-gcc .*)$/m.exec(guide) ?? [];
const OUTPUT = 'Numbers, please.\n3\n7\n42\n';
const INPUT = '3\n4\n35\n0\n';
const GREETING = 'Numbers, please.\n\0';
const GREETING_ADDRESS = 0x8100_0000;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rmk-guide-'));
  for (const name of ['adder.c', 'adder.ld', 'rmk.config.ts', 'numbers.txt']) {
    writeFileSync(join(folder, name), file(name));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Compiles with the line of the guide, after some changes to it and to the sources. */
function compile(changes: readonly Change[] = []): void {
  for (const name of ['adder.c', 'adder.ld']) writeFileSync(join(folder, name), changed(file(name), changes));
  execSync(changed(compilerLine, changes), { cwd: folder, stdio: 'pipe' });
}

type Change = readonly [what: string, into: string];

function changed(text: string, changes: readonly Change[]): string {
  return changes.reduce((changing, [what, into]) => changing.replaceAll(what, into), text);
}

/** As the guide's program reads it. */
function readFileSync(name: string): Uint8Array {
  return readFile(join(folder, name));
}

const printed: string[] = [];
const console = { log: (text: string) => void printed.push(text) };

const isInstalled = (() => {
  try {
    execSync('riscv64-unknown-elf-gcc --version', { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const needsCompiler = isInstalled || process.env['CI'] === 'true' ? describe : describe.skip;
const skipped = isInstalled ? '' : ' (skipped without riscv64-unknown-elf-gcc)';

needsCompiler(`the guide to guests of one's own${skipped}`, () => {
  it('has a program of 20 to 40 lines that compiles without a warning', () => {
    const lines = file('adder.c')
      .split('\n')
      .filter((line) => line !== '');
    expect(lines.length).toBeGreaterThanOrEqual(20);
    expect(lines.length).toBeLessThanOrEqual(40);
    compile([['-O2', '-O2 -Wall -Wextra -Werror -Wno-main']]);
  });

  it('runs it from a config', async () => {
    compile();
    const said = { out: '', err: '' };
    const code = await main(['run', join(folder, 'rmk.config.ts')], {
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
    });
    expect({ code, err: said.err }).toEqual({ code: 0, err: '' });
    const shown = said.out.split('\n').filter((line) => line.startsWith('adder │'));
    expect(shown.join('')).toBe(
      OUTPUT.trimEnd()
        .split('\n')
        .map((line) => `adder │ ${line}`)
        .join(''),
    );
    expect(guide).toContain(`\`\`\`text\n${shown.join('\n')}\n\`\`\``);
  });

  it('runs it from a program, which lets it crash', async () => {
    compile();
    // --- the guide's program
    const hypervisor = new EmbeddedHypervisor();
    const bytes = (text: string) => new TextEncoder().encode(text);
    const machine = hypervisor.createMachine({
      name: 'adder',
      elf: readFileSync('adder.elf'),
      elfSource: 'adder.elf',
      memoryBytes: 32 * 1024 * 1024,
      bootData: [{ address: 0x8100_0000, data: bytes('Numbers, please.\n\0') }],
      input: [
        { at: '10ms', data: bytes('3\n4\n') },
        { at: '400ms', data: bytes('35\n0\n') },
      ],
    });
    const domain = await createDomain({ name: 'adder', machine, plugins: microcheckpoint() });
    domain.bus.on('EVT_RECOVERED', ({ record: { trigger, rung, workLostNs = 0 } }) =>
      console.log(`${trigger.cause}: ${rung}, ${(workLostNs / 1e6).toFixed(1)} ms of work lost`),
    );
    await hypervisor.run({ untilNs: 275_000_000 });
    await domain.get(P_VCPU).writeRegister('pc', 0n);
    await hypervisor.run();
    console.log(new TextDecoder().decode(machine.committedOutput) + `exit code ${machine.exitCode}`);
    await domain.stop();
    await hypervisor.close();
    // --- as it stands there
    const source = readFile(new URL(import.meta.url), 'utf8');
    const [, body = ''] = /guide's program\n([\s\S]*?) +\/\/ --- as it stands/.exec(source) ?? [];
    expect(guide).toContain(`\`\`\`ts\n${body.replaceAll(/^ {4}/gm, '')}\`\`\``);
    expect(printed).toHaveLength(2);
    expect(guide).toContain(`\`\`\`text\n${printed.join('\n')}\n\`\`\``);
    expect(printed[1]).toBe(`${OUTPUT}exit code 0`);
  });

  it('shows its hang, since it keeps a tick', async () => {
    compile();
    const rig = await startRig({ machine: guest(), plugins: microcheckpoint() });
    await rig.advance('275ms');
    await rig.domain.get(P_VCPU).writeRegister('mie', 0n); // no tick any more
    expect(await rig.runToEnd()).toBe(0);
    const kinds = rig.events('EVT_RECOVERED').map(({ record }) => [record.trigger.kind, record.rung]);
    expect(kinds).toEqual([['hang', 'target']]);
    expect(rig.output).toBe(OUTPUT);
  });

  it('has no hang seen in a guest without any sign of progress', async () => {
    compile([
      ['__asm__ volatile("wfi")', 'continue'],
      ['MTIMECMP[0] = MTIMECMP[1] = 0;', ''],
      ['if (number == 0)', 'while (number == 35) continue;\n    if (number == 0)'],
    ]);
    const rig = await startRig({ machine: guest(), plugins: microcheckpoint() });
    await rig.advance('2s');
    expect(rig.output).toBe(OUTPUT.replace('42\n', ''));
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });

  it.each([
    ['the compiler', [['-misa-spec=2.2 -march=rv32imac -mabi=ilp32', '']]],
    ['ilp32d', [['-march=rv32imac -mabi=ilp32', '-march=rv32imafdc -mabi=ilp32d']]],
    ['ORIGIN', [['ORIGIN = 0x80000000', 'ORIGIN = 0x00010000']]],
    ['not linked', [['-static', '-static -c']]],
  ] as const)('shows the real message: %s', (row, changes) => {
    compile(changes);
    const [, said] = mistake(row);
    expect(() => new EmbeddedHypervisor().createMachine(guest())).toThrow(
      `RMK_ERR_ELF: 'adder.elf' cannot be run: ${said}`,
    );
  });

  it('shows the real message: too little memory', () => {
    compile();
    const [, said] = mistake('16MiB');
    const small = { ...guest(), memoryBytes: 16 * 1024 * 1024 };
    expect(() => new EmbeddedHypervisor().createMachine(small)).toThrow(said);
  });

  it('quotes the real message: a missing extension', () => {
    const [, said] = mistake('no `-misa-spec=2.2`');
    expect(said).toContain("extension 'zicsr' required");
    expect(() => compile([['-misa-spec=2.2 ', '']])).toThrow(
      /unrecognized opcode .*, extension `zicsr' required/,
    );
  });

  it('links 64-bit division, and not with the 64-bit library that another -march finds', () => {
    const divides: Change = [
      'static uint64_t due;',
      'static uint64_t due;\n  due /= *(volatile uint64_t *)GREETING | 1;',
    ];
    compile([divides]);
    const [, said] = mistake('64-bit division');
    expect(said).toContain('ABI is incompatible');
    expect(() => compile([divides, ['-misa-spec=2.2 -march=rv32imac', '-march=rv32imac_zicsr']])).toThrow(
      /ABI is incompatible with that of the selected emulation/,
    );
  });

  it('quotes the real message: a missing device', async () => {
    const [what, said] = mistake('FINISHER');
    expect(what).toContain('0x00110000');
    compile([['0x00100000', '0x00110000']]);
    const rig = await startRig({ machine: guest(), plugins: microcheckpoint() });
    await rig.runToEnd();
    expect(said).toContain(rig.events('EVT_ERRORDETECTED')[0]?.cause);
    expect(rig.events('EVT_RECOVERED').length).toBeGreaterThan(1);
    expect(rig.events('EVT_RECOVERYFAILED')).toHaveLength(1);
  });

  it('shows the real message: no timer', async () => {
    compile([['MTIMECMP[0] = MTIMECMP[1] = 0;', '']]);
    const hypervisor = new EmbeddedHypervisor();
    const machine = hypervisor.createMachine(guest());
    await hypervisor.run();
    expect([machine.exitCode, machine.isRunnable]).toEqual([undefined, false]);
    await hypervisor.close();
  });

  describeOracle("the guide's guest", () => {
    it('does the same under QEMU', async () => {
      compile();
      const beside = join(folder, 'oracle');
      mkdirSync(beside, { recursive: true });
      writeFileSync(join(beside, 'adder.elf'), readFileSync('adder.elf'));
      writeFileSync(join(beside, 'adder@81000000.bin'), GREETING);
      writeFileSync(join(beside, 'adder.input'), INPUT);
      const [adder] = guestsIn(beside);
      if (adder === undefined) throw new Error('the oracle finds no guest');
      const here = await runEmbedded(adder);
      expect(new TextDecoder().decode(here.output)).toBe(OUTPUT);
      const there = await runUnderQemu({ ...adder, timeout: 30_000 });
      expect({ ...there, output: Buffer.from(there.output).toString() }).toEqual({
        ...here,
        output: Buffer.from(here.output).toString(),
      });
    });
  });
});

function guest() {
  return {
    name: 'adder',
    elf: readFileSync('adder.elf'),
    elfSource: 'adder.elf',
    bootData: [{ address: GREETING_ADDRESS, data: Buffer.from(GREETING) }],
    input: [
      { at: '10ms' as const, data: Buffer.from('3\n4\n') },
      { at: '400ms' as const, data: Buffer.from('35\n0\n') },
    ],
  };
}

/** A row of the guide's table of mistakes: what is wrong, and the message, without its quotes. */
function mistake(about: string): readonly [what: string, said: string] {
  const row = guide.split('\n').find((line) => line.startsWith('|') && line.includes(about));
  const [, what = '', said = ''] = row?.split(/(?<!\\)\|/).map((cell) => cell.trim()) ?? [];
  if (said === '') throw new Error(`the guide has no row about ${about}`);
  return [what, /^`[^`]*`$/.test(said) ? said.slice(1, -1) : said];
}
