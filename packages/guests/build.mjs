// Builds the guests' ELFs from their C sources: `node build.mjs [output folder [guest …]]`, by default all of
// them into `elf` beside this file.
// The same compiler gives the same bytes, wherever the sources lie; compiler.json says which one made those in `elf`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const PINNED = JSON.parse(readFileSync(new URL('compiler.json', import.meta.url), 'utf8'));
const COMPILER = PINNED.command;
const HOW_TO_INSTALL = `On Debian: apt-get install ${PINNED.debianPackage}`;

/** Each guest, and the folders of `guest/` that it is made of. */
const GUESTS = {
  compressor: ['runtime', 'compressor'],
  interpreter: ['runtime', 'interpreter', 'interpreter/programs'],
  rtos: ['runtime', 'rtos'],
  search: ['runtime', 'search'],
  server: ['runtime', 'server'],
  tasks: ['runtime', 'tasks', 'tasks/programs'],
};
/** Where programs lie that know nothing of the machine: each file but `PROGRAMS_MAIN` is one. */
const PROGRAMS = 'programs';
const WORKLOADS = 'workloads';
const PROGRAMS_MAIN = 'programs/main.c';

/** Extensions beyond RV32IMA that guests are built with, so that the hart has programs that use them. */
const EXTENSIONS = { rtos: 'c_zicsr_zifencei', search: '_zicsr_zifencei_zba_zbb_zbs' };
const MACHINE = ['-mabi=ilp32', '-mcmodel=medany', '-mstrict-align'];
const LANGUAGE = [
  '-std=gnu11',
  '-O2',
  '-ffreestanding',
  '-fno-common',
  '-fno-pic',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  // Loops that copy or fill stay loops: those in memory.c would call themselves.
  '-fno-tree-loop-distribute-patterns',
  '-ffunction-sections',
  '-fdata-sections',
];
const WARNINGS = [
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wconversion',
  '-Wshadow',
  '-Wundef',
  '-Wvla',
  '-Wcast-align=strict',
  '-Wcast-qual',
  '-Wpointer-arith',
  '-Wmissing-prototypes',
  '-Wstrict-prototypes',
];
// No library at all, not even the compiler's own: everything in the ELF comes from `guest/`.
const LINKING = ['-nostdlib', '-static', '-Wl,--build-id=none', '-Wl,--gc-sections', '-Wl,--fatal-warnings'];

const guestFolder = fileURLToPath(new URL('guest', import.meta.url));
/** `tasks`, `programs/sha256`; none are all. */
const wanted = process.argv.slice(3);
const outputFolder = resolve(process.argv[2] ?? fileURLToPath(new URL('elf', import.meta.url)));

function compiler(args) {
  const { error, status, stdout } = spawnSync(COMPILER, args, {
    cwd: guestFolder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (error?.code === 'ENOENT') stop(`${COMPILER} is not installed. ${HOW_TO_INSTALL}`);
  if (error !== undefined) stop(`${COMPILER} could not be run: ${error.message}`);
  if (status !== 0) stop(`${COMPILER} failed; its messages stand above`);
  return stdout;
}

function stop(message) {
  process.stderr.write(`build.mjs: ${message}\n`);
  process.exit(1);
}

/** Sorted, so that the ELF does not depend on the order in which a file system lists them. */
function sourcesIn(folder) {
  return readdirSync(join(guestFolder, folder))
    .filter((name) => /\.[cS]$/.test(name))
    .toSorted()
    .map((name) => `${folder}/${name}`);
}

const version = compiler(['--version']).split('\n')[0];
process.stdout.write(`${version}\n`);
if (version !== `${COMPILER} ${PINNED.version}`) {
  process.stderr.write(
    `build.mjs: the ELFs in \`elf\` were made by ${PINNED.version} of Debian ${PINNED.debianRelease}; this compiler may give other bytes\n`,
  );
}
function build(name, folders, sources, elf) {
  if (wanted.length > 0 && !wanted.some((each) => elf === join(outputFolder, `${each}.elf`))) return;
  const march = `-march=rv32ima${EXTENSIONS[name] ?? '_zicsr_zifencei'}`;
  const flags = [
    march,
    ...MACHINE,
    ...LANGUAGE,
    ...WARNINGS,
    `-ffile-prefix-map=${guestFolder}=.`,
    ...folders.map((folder) => `-I${folder}`),
  ];
  compiler([...flags, ...LINKING, '-T', 'link.ld', ...sources, '-o', elf]);
  process.stdout.write(`${elf}  ${statSync(elf).size} bytes\n`);
}

mkdirSync(outputFolder, { recursive: true });
for (const [name, folders] of Object.entries(GUESTS)) {
  build(name, folders, folders.flatMap(sourcesIn), join(outputFolder, `${name}.elf`));
}
for (const folder of [PROGRAMS, WORKLOADS]) {
  mkdirSync(join(outputFolder, folder), { recursive: true });
  for (const source of sourcesIn(folder).filter((file) => file !== PROGRAMS_MAIN)) {
    const name = basename(source, '.c');
    const sources = [...sourcesIn('runtime'), PROGRAMS_MAIN, source];
    build(name, ['runtime', PROGRAMS], sources, join(outputFolder, folder, `${name}.elf`));
  }
}
