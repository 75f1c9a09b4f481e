// The two engines and qemu-system-riscv32 on the programs for measurements: the same ELFs, in turns, on one core. Each
// program runs at two lengths: as long as it is by itself (short), and --times as long (long), with more of its rounds.
// The interpreter is no faster in a long run, so that it is spared that. All processor time counts, compiling on other
// threads and the start of QEMU included. After a build:
// `npm run bench:engines -w @rmk/hypervisor-embedded -- [--rounds N] [--times N] [--json] [program ...]`
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { programRounds, PROGRAMS, readProgram } from '@rmk/guests';
import { EmbeddedHypervisor } from '../dist/index.js';
import { cpuMicroseconds, spread, write } from './measure.mjs';

const QEMU = 'qemu-system-riscv32';
const HAS_QEMU = spawnSync(QEMU, ['--version']).error === undefined;
/** What is measured, by name. */
const RUNS = {
  interpreter: { engine: 'interpreter', length: 'short' },
  translatorShort: { engine: 'translator', length: 'short' },
  translator: { engine: 'translator', length: 'long' },
  ...(HAS_QEMU
    ? { qemuShort: { engine: 'qemu', length: 'short' }, qemu: { engine: 'qemu', length: 'long' } }
    : {}),
};
const NAMES = Object.keys(RUNS);
/** Each names what is divided by what. */
const RATIOS = {
  toInterpreter: ['translator', 'interpreter'],
  shortToInterpreter: ['translatorShort', 'interpreter'],
  ...(HAS_QEMU ? { toQemu: ['translator', 'qemu'], shortToQemu: ['translatorShort', 'qemuShort'] } : {}),
};
const HEADINGS = {
  interpreter: 'interpreter',
  translatorShort: 'translator short',
  translator: 'long',
  qemuShort: 'QEMU short',
  qemu: 'long',
  toInterpreter: 'interpreter',
  shortToInterpreter: 'short',
  toQemu: 'QEMU',
  shortToQemu: 'short',
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    times: { type: 'string', default: '8' },
    'program-rounds': { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    'no-pin': { type: 'boolean', default: false },
    one: { type: 'string' },
  },
});

/** How many rounds a program takes by itself. */
async function ownRounds(name) {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({ name, elf: readProgram(name) });
  const address = machine.image.symbols.get('program_rounds');
  const word = await machine.read(address, 4);
  await hypervisor.close();
  return new DataView(word.buffer).getUint32(0, true);
}

/** Runs a program on an engine in this process; prints what it took. */
async function runOne(engine, name) {
  const hypervisor = new EmbeddedHypervisor();
  const bootData = [programRounds(Number(values['program-rounds']))];
  const machine = hypervisor.createMachine({ name, elf: readProgram(name), engine, bootData });
  const cpuBefore = cpuMicroseconds();
  await hypervisor.run();
  const cpuUs = cpuMicroseconds() - cpuBefore;
  const output = new TextDecoder().decode(machine.committedOutput).trim();
  const { instructions } = machine;
  await hypervisor.close();
  write(JSON.stringify({ instructions, cpuUs, output }));
}

/** Runs a command on the core to measure on; gives its output. */
function outputOf(command, args) {
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

async function measured({ engine }, name, rounds) {
  if (engine !== 'qemu') {
    const bench = [fileURLToPath(import.meta.url), '--program-rounds', String(rounds), '--one', engine, name];
    return JSON.parse(await outputOf(process.execPath, bench));
  }
  const elf = join(folder, `${name}.elf`);
  writeFileSync(elf, readProgram(name));
  const { address, data } = programRounds(rounds);
  const bootFile = join(folder, 'rounds');
  writeFileSync(bootFile, data);
  const qemu = [
    `${QEMU} -M virt -m 32M -bios none -nographic -monitor none -serial stdio -kernel ${elf}`,
    `-device loader,file=${bootFile},addr=${address},force-raw=on`,
  ].join(' ');
  // The shell's `time` gives the processor time of QEMU.
  const output = await outputOf('bash', ['-c', `TIMEFORMAT='%U %S'; { time ${qemu}; } 2>&1`]);
  const lines = output.split('\n');
  const [user = 0, system = 0] = (lines.at(-1) ?? '').split(' ').map(Number);
  return { cpuUs: (user + system) * 1e6, output: (lines[0] ?? '').trim() };
}

/** All runs of a program, in turns. */
async function measure(name) {
  const rounds = await ownRounds(name);
  const lengths = { short: rounds, long: rounds * Number(values.times) };
  const mips = Object.fromEntries(NAMES.map((run) => [run, []]));
  const known = { short: {}, long: {} };
  for (let turn = 0; turn < Number(values.rounds); turn += 1) {
    for (const run of NAMES) {
      const { length } = RUNS[run];
      const { instructions, cpuUs, output } = await measured(RUNS[run], name, lengths[length]);
      known[length].output ??= output;
      if (output !== known[length].output)
        throw new Error(`${name} printed '${output}' in ${run}, '${known[length].output}' before`);
      known[length].instructions ??= instructions;
      mips[run].push(known[length].instructions / cpuUs);
    }
  }
  const spreads = Object.fromEntries(NAMES.map((run) => [run, spread(mips[run])]));
  const instructions = { short: known.short.instructions, long: known.long.instructions };
  return { name, instructions, mips: spreads, ratios: ratiosOf((run) => spreads[run].median) };
}

function ratiosOf(mipsOf) {
  return Object.fromEntries(
    Object.entries(RATIOS).map(([name, [of, to]]) => [name, mipsOf(of) / mipsOf(to)]),
  );
}

function geometricMean(numbers) {
  return Math.exp(numbers.reduce((sum, number) => sum + Math.log(number), 0) / numbers.length);
}

let folder = '';

async function main() {
  const names = positionals.length > 0 ? positionals : Object.keys(PROGRAMS);
  folder = mkdtempSync(join(tmpdir(), 'rmk-engines-'));
  const programs = [];
  try {
    for (const name of names) {
      programs.push(await measure(name));
      if (!values.json) print(programs.at(-1));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const means = Object.fromEntries(
    NAMES.map((run) => [run, geometricMean(programs.map(({ mips }) => mips[run].median))]),
  );
  const geometricMeans = { ...means, ...ratiosOf((run) => means[run]) };
  if (values.json) write(JSON.stringify({ programs, geometricMeans }, undefined, 2));
  else printLine('geometric mean', '', (run) => means[run].toFixed(0), geometricMeans);
}

function print({ name, instructions, mips, ratios }) {
  const shown = (run) => {
    const { low, median, high } = mips[run];
    return low === high ? median.toFixed(0) : `${median.toFixed(0)} (${low.toFixed(0)}-${high.toFixed(0)})`;
  };
  const { short, long } = instructions;
  printLine(name, `${(short / 1e6).toFixed(0)}, ${(long / 1e6).toFixed(0)} M`, shown, ratios);
}

function printLine(name, length, shownOf, ratios) {
  const mips = NAMES.map((run) => shownOf(run).padStart(17));
  const factors = Object.keys(RATIOS).map((ratio) => `${ratios[ratio].toFixed(2)}x`.padStart(13));
  write(`${name.padEnd(14)}${length.padStart(12)}${mips.join('')}${factors.join('')}`);
}

if (values.one !== undefined) {
  await runOne(values.one, positionals[0]);
} else {
  if (!values.json) {
    write(
      `MIPS by processor time, median (quartiles) of ${values.rounds}; what the translator is of the others`,
    );
    const headings = [...NAMES.map((name) => [name, 17]), ...Object.keys(RATIOS).map((name) => [name, 13])];
    write(
      'program'.padEnd(14) +
        'instructions'.padStart(12) +
        headings.map(([name, width]) => HEADINGS[name].padStart(width)).join(''),
    );
  }
  await main();
}
