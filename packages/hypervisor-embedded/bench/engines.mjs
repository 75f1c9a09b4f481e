// The two engines and qemu-system-riscv32 on the programs for measurements: the same ELFs, in turns, on one core.
// `npm run bench:engines -w @rmk/hypervisor-embedded -- [--rounds N] [--json] [program ...]`, after a build.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PROGRAMS, readProgram } from '@rmk/guests';
import { EmbeddedHypervisor } from '../dist/index.js';
import { cpuMicroseconds, spread, write } from './measure.mjs';

const QEMU = 'qemu-system-riscv32';
const ENGINES = ['interpreter', 'translator'];
const HAS_QEMU = spawnSync(QEMU, ['--version']).error === undefined;
const ALL = HAS_QEMU ? [...ENGINES, 'qemu'] : ENGINES;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    'no-pin': { type: 'boolean', default: false },
    one: { type: 'string' },
  },
});

/** Runs a program on an engine in this process; prints what it took. Compiling, beside the guest, counts too. */
async function runOne(engine, name) {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({ name, elf: readProgram(name), engine });
  const before = cpuMicroseconds();
  const started = performance.now();
  await hypervisor.run();
  const hostUs = (performance.now() - started) * 1000;
  const cpuUs = cpuMicroseconds() - before;
  const output = new TextDecoder().decode(machine.committedOutput).trim();
  const { instructions } = machine;
  await hypervisor.close();
  write(JSON.stringify({ instructions, cpuUs, hostUs, output }));
}

/** Runs a command on the core to measure on; gives its output. */
function run(command, args) {
  const core = String(availableParallelism() - 1);
  const [program, ...rest] = values['no-pin']
    ? [command, ...args]
    : ['taskset', '-c', core, command, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.on('error', reject).on('close', () => resolve(output.trim()));
  });
}

async function measured(engine, name) {
  if (engine !== 'qemu') {
    const output = await run(process.execPath, [fileURLToPath(import.meta.url), '--one', engine, name]);
    return JSON.parse(output);
  }
  const elf = join(folder, `${name}.elf`);
  writeFileSync(elf, readProgram(name));
  const qemu = [
    QEMU,
    '-M',
    'virt',
    '-m',
    '32M',
    '-bios',
    'none',
    '-nographic',
    '-monitor',
    'none',
    '-kernel',
    elf,
  ];
  // The shell's `time` gives the processor time of QEMU, its start (about 0.05 s) included.
  const output = await run('bash', [
    '-c',
    `TIMEFORMAT='%U %S'; { time ${qemu.join(' ')} -serial stdio; } 2>&1`,
  ]);
  const lines = output.split('\n');
  const [user = 0, system = 0] = (lines.at(-1) ?? '').split(' ').map(Number);
  return { cpuUs: (user + system) * 1e6, output: (lines[0] ?? '').trim() };
}

function geometricMean(numbers) {
  return Math.exp(numbers.reduce((sum, number) => sum + Math.log(number), 0) / numbers.length);
}

let folder = '';

async function main() {
  const names = positionals.length > 0 ? positionals : Object.keys(PROGRAMS);
  const rounds = Number(values.rounds);
  folder = mkdtempSync(join(tmpdir(), 'rmk-engines-'));
  const programs = [];
  try {
    for (const name of names) {
      const mips = Object.fromEntries(ALL.map((engine) => [engine, []]));
      let instructions = 0;
      let expected;
      for (let round = 0; round < rounds; round += 1) {
        for (const engine of ALL) {
          const result = await measured(engine, name);
          expected ??= result.output;
          if (result.output !== expected)
            throw new Error(`${name} printed '${result.output}' on ${engine}, '${expected}' before`);
          instructions = result.instructions ?? instructions;
          mips[engine].push(instructions / result.cpuUs);
        }
      }
      const program = { name, instructions, mips: {} };
      for (const engine of ALL) program.mips[engine] = spread(mips[engine]);
      programs.push(program);
      if (!values.json) print(program);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const ratio = (to) => geometricMean(programs.map(({ mips }) => mips.translator.median / mips[to].median));
  const geometricMeans = {
    ...Object.fromEntries(
      ALL.map((engine) => [engine, geometricMean(programs.map(({ mips }) => mips[engine].median))]),
    ),
    translatorToInterpreter: ratio('interpreter'),
    ...(HAS_QEMU ? { translatorToQemu: ratio('qemu') } : {}),
  };
  if (values.json) {
    write(JSON.stringify({ programs, geometricMeans }, undefined, 2));
    return;
  }
  const means = ALL.map((engine) => geometricMeans[engine].toFixed(0).padStart(18));
  write(`${'geometric mean'.padEnd(14)}${''.padStart(8)}${means.join('')}${ratios(geometricMeans)}`);
}

function ratios({ translatorToInterpreter, translatorToQemu }) {
  const toQemu = translatorToQemu === undefined ? '' : `${translatorToQemu.toFixed(2).padStart(8)}x`;
  return `${translatorToInterpreter.toFixed(2).padStart(12)}x${toQemu}`;
}

function print({ name, instructions, mips }) {
  const shown = ALL.map((engine) => {
    const { low, median, high } = mips[engine];
    return `${median.toFixed(0)} (${low.toFixed(0)}-${high.toFixed(0)})`.padStart(18);
  });
  const one = {
    translatorToInterpreter: mips.translator.median / mips.interpreter.median,
    ...(HAS_QEMU ? { translatorToQemu: mips.translator.median / mips.qemu.median } : {}),
  };
  write(`${name.padEnd(14)}${(instructions / 1e6).toFixed(0).padStart(6)} M${shown.join('')}${ratios(one)}`);
}

if (values.one !== undefined) {
  await runOne(values.one, positionals[0]);
} else {
  if (!values.json) {
    write(`MIPS by processor time, median (quartiles) of ${values.rounds}; ratios of the translator`);
    write(
      `${'program'.padEnd(14)}${'instr.'.padStart(8)}${ALL.map((engine) => engine.padStart(18)).join('')}` +
        `${'interpreter'.padStart(13)}${HAS_QEMU ? 'QEMU'.padStart(9) : ''}`,
    );
  }
  await main();
}
