import { symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readGuest } from '@rmk/guests';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../src/index.js';
import { configIn, folderWith, rmk, type Said } from './rmk.js';

const ELF = readGuest('tasks');
const tasks = { name: 'tasks', guest: 'tasks' };

/** Both commands read configs alike; neither may show a stack trace, or anything on standard output. */
async function refused(config: string): Promise<string> {
  const said: Said[] = [await rmk(['run', config, '--json']), await rmk(['doctor', config])];
  for (const { code, out, err } of said) {
    expect({ code, out }).toEqual({ code: ExitCode.USAGE, out: '' });
    expect(err).not.toMatch(/\n\s+at /);
    expect(err).toContain(config);
  }
  expect(said[0]?.err).toBe(said[1]?.err);
  return said[0]?.err ?? '';
}

/** The problems that are listed, each a line. */
function problemsOf(err: string): readonly string[] {
  // The only one is in the first line.
  return err
    .split('\n')
    .flatMap((line) => /^(?:  - |RMK_ERR_INPUT: .*? cannot be run: )(.*)$/.exec(line)?.[1] ?? []);
}

describe('a config file that cannot be read', () => {
  it.each([
    ['an empty file', 'rmk.ts', '', 'does not export a config. End it with `export default defineConfig('],
    ['no default export', 'rmk.ts', 'export const config = { guests: [] };', 'does not export a config'],
    ['a number', 'rmk.js', 'export default 5;', 'does not export a config'],
    ['a function that gives nothing', 'rmk.js', 'export default () => {};', 'does not export a config'],
    ['a list in JSON', 'rmk.json', '[1]', 'does not export a config. Write an object with the key guests'],
    ['null in JSON', 'rmk.json', 'null', 'does not export a config'],
    ['bad JSON', 'rmk.json', '{\n  "guests": [],\n}', 'is not valid JSON'],
    ['the line in bad JSON', 'rmk.json', '{\n  "guests": [],\n}', 'line 3 column 1'],
    ['a syntax error, with its place', 'rmk.ts', 'const a = 1;\nconst b = ;\n', 'rmk.ts:2:'],
    ['a throw, with its place', 'rmk.ts', '\n\nthrow new Error("not today");', 'failed: not today (/'],
    ['a throw of a text', 'rmk.mjs', 'throw "not today";', 'failed: not today'],
    [
      'an import of what is not there',
      'rmk.ts',
      'import "nowhere-at-all"; export default {};',
      'nowhere-at-all',
    ],
    ['another kind of file', 'rmk.yaml', 'guests: []', 'is not a config. Use TypeScript, JavaScript or JSON'],
  ])('%s', async (_, name, content, message) => {
    expect(await refused(configIn(name, content))).toContain(message);
  });

  it('reports the line of a throw', async () => {
    expect(await refused(configIn('rmk.ts', '\n\nthrow new Error("not today");'))).toMatch(/rmk\.ts:3:\d+\)/);
  });

  it('reports the place in the source, not in the transformed code', async () => {
    const source = `import type { Plugin } from '@rmk/core';

const found: Record<string, Plugin[]> = {};
export default { guests: [], plugins: (found as { [name: string]: Plugin[] }).mine!.map((each: Plugin) => each) };
`;
    const [, line = '', column = ''] =
      /rmk\.ts:(\d+):(\d+)/.exec(await refused(configIn('rmk.ts', source))) ?? [];
    const shown = source.split('\n')[Number(line) - 1]?.slice(Number(column) - 1);
    expect(shown).toMatch(/^(?:mine)?!?\.?map\(/);
  });

  it('calls what is imported by the name that the source has for it', async () => {
    const source = "import { nothing } from '@rmk/core';\nexport default nothing();\n";
    expect(await refused(configIn('rmk.ts', source))).toContain('failed: nothing is not a function (/');
  });

  it('suggests the file that was meant', async () => {
    const config = configIn('rmk.config.ts', 'export default {};');
    expect(await refused(config.replace('config.ts', 'confg.ts'))).toContain(`Did you mean ${config}?`);
  });

  it('refuses a folder', async () => {
    const config = join(folderWith({ 'rmk.ts/x': '' }), 'rmk.ts');
    expect(await refused(config)).toContain('is not a file');
  });

  it('does not read what was not named: an rc file, an .env, a package.json, something to extend', async () => {
    const config = configIn(
      'rmk.json',
      { guests: [{ name: 'tasks', guest: 'tasks' }], extends: './other.json' },
      { '.rmkrc': 'until=1', '.env': 'A=1', 'other.json': '{"until":"1ms"}' },
    );
    expect(problemsOf(await refused(config))).toEqual([expect.stringMatching(/^extends: unknown key/)]);
  });

  it('reads a config again when it has changed', async () => {
    const content = (message: string): string => `throw new Error(${JSON.stringify(message)});`;
    const config = configIn('rmk.ts', content('the first'));
    expect(await refused(config)).toContain('the first');
    writeFileSync(config, content('the second'));
    expect(await refused(config)).toContain('the second');
  });
});

describe('a config with problems', () => {
  const files = { 'x.elf': ELF, 'broken.elf': ELF.subarray(0, 100), 'text.txt': 'text', 'empty.txt': '' };
  const problemsWith = async (config: object): Promise<readonly string[]> =>
    problemsOf(await refused(configIn('rmk.json', config, files)));
  const guestProblems = async (...guests: readonly unknown[]): Promise<readonly string[]> =>
    problemsWith({ guests });

  it.each<[string, object, readonly string[]]>([
    ['no guests', { guests: [] }, ['guests: expected at least one guest']],
    ['guests that are no list', { guests: tasks }, ['guests: expected a list of guests']],
    ['an unknown key', { guests: [tasks], untill: '5s' }, ['untill: unknown key, did you mean until?']],
    [
      'a key that is like none',
      { guests: [tasks], quux: 1 },
      ['quux: unknown key, choose one of guests, plugins'],
    ],
    ['a bad duration', { guests: [tasks], until: '5' }, ['until: expected a duration']],
    ['a bad output', { guests: [tasks], output: 'shwo' }, ["output: expected 'show', 'none' or"]],
    ['a bad frequency', { guests: [tasks], hypervisor: { frequencyHz: 30e6 } }, ['hypervisor.frequencyHz: ']],
    [
      'a bad pace',
      { guests: [tasks], hypervisor: { pace: 'wallclock' } },
      ['hypervisor.pace: did you mean wall-clock?'],
    ],
    [
      'a bad algorithm',
      { guests: [tasks], protect: { algorithm: 'cowx' } },
      ["protect.algorithm: expected 'cowb'"],
    ],
    [
      'a bad risk',
      { guests: [tasks], protect: { corruptionRisk: 2 } },
      ['protect.corruptionRisk: expected a probability above 0 and below 1'],
    ],
    [
      'a recovery that is none',
      { guests: [tasks], protect: { recovery: 'off' } },
      ['protect.recovery: expected the options of the recovery, a plugin, or false'],
    ],
    [
      'an unknown option of the preset',
      { guests: [tasks], protect: { intervall: '5ms' } },
      ['protect.intervall: unknown key, did you mean interval?'],
    ],
    [
      'plugins in JSON',
      { guests: [tasks], plugins: ['@rmk/cowb'] },
      ['plugins[0]: expected a plugin, or its package such as'],
    ],
    [
      'both ways to protect',
      { guests: [tasks], plugins: [], protect: false },
      [
        'give either `plugins` or `protect`, the options of the preset. To add plugins to the preset, list it among `plugins`: `...microcheckpoint(options)`, or in JSON { "plugin": "@rmk/preset-microcheckpoint", "options": {} }',
      ],
    ],
  ])('%s', async (_, config, expected) => {
    expect(await problemsWith(config)).toEqual(expected.map((text) => expect.stringContaining(text)));
  });

  it.each<[string, unknown, readonly string[]]>([
    ['no object', 5, ['guests[0]: expected object']],
    ['no name', { guest: 'tasks' }, ['guests[0].name: missing: expected string']],
    ['a name that is no file name', { ...tasks, name: '../x' }, ['guests[0].name: expected letters']],
    ['neither program', { name: 'x' }, ['guests[0]: give either `elf`']],
    ['both programs', { ...tasks, elf: 'x.elf' }, ['guests[0]: give either `elf`']],
    [
      'an unknown guest',
      { name: 'x', guest: 'task' },
      ['guests[0].guest: unknown guest "task", did you mean tasks?'],
    ],
    ['an ELF that is not there', { name: 'x', elf: './x.elv' }, ['x.elv not found. Did you mean ']],
    ['a broken ELF', { name: 'x', elf: 'broken.elf' }, ['guests[0].elf: ']],
    [
      'an ELF that is text',
      { name: 'x', elf: 'text.txt' },
      ['it is neither an ELF file nor a RISC-V kernel Image'],
    ],
    [
      'an ELF that does not fit',
      { name: 'x', elf: 'x.elf', memory: '4KiB' },
      ["lies outside the guest's RAM"],
    ],
    [
      'memory that is no size',
      { ...tasks, memory: '32MB' },
      ["guests[0].memory: expected bytes, or a size such as '512KiB'"],
    ],
    [
      'memory that is no multiple of a page',
      { name: 'x', elf: 'x.elf', memory: 33_000_000 },
      ['guests[0].memory: expected a multiple of the page size'],
    ],
    ['memory over the limit', { name: 'x', elf: 'x.elf', memory: '2GiB' }, ['guests[0].memory: Too big']],
    [
      'memory too small for a guest of RMK',
      { ...tasks, memory: '1MiB' },
      ['guests[0].memory: tasks needs at least'],
    ],
    ['log pages over the limit', { ...tasks, logPages: 1e9 }, ['guests[0].logPages: Too big']],
    ['no file for the compressor', { name: 'x', guest: 'compressor' }, ['guests[0].file: missing']],
    [
      'an empty file for it',
      { name: 'x', guest: 'compressor', file: 'empty.txt' },
      ['guests[0].file: empty.txt: the file is empty'],
    ],
    [
      'a file for a guest that takes none',
      { ...tasks, file: 'text.txt' },
      ['guests[0].file: tasks takes no file'],
    ],
    [
      'a file that finds no room',
      { name: 'x', elf: 'x.elf', memory: '8MiB', file: 'text.txt' },
      ['guests[0].file: '],
    ],
    [
      'boot data out of RAM',
      { ...tasks, bootData: [{ address: 0, data: [1] }] },
      ['guests[0].bootData[0]: 1 bytes at 0x0'],
    ],
    [
      'boot data of no byte',
      { ...tasks, bootData: [{ address: '0x80000000', data: [256] }] },
      ['guests[0].bootData[0].data[0]: Too big'],
    ],
    [
      'boot data of nothing',
      { ...tasks, bootData: [{ address: '0x80000000' }] },
      ['guests[0].bootData[0]: give either'],
    ],
    [
      'boot data from nowhere',
      { ...tasks, bootData: [{ address: '0x80000000', file: 'x' }] },
      ['x not found. Fix the path.'],
    ],
    [
      'a bad address',
      { ...tasks, bootData: [{ address: 'x', data: [] }] },
      ['guests[0].bootData[0].address: expected a guest-physical address'],
    ],
    [
      'input without a time',
      { ...tasks, input: [{ text: 'x' }] },
      ['guests[0].input[0].at: expected a duration'],
    ],
    ['input of nothing', { ...tasks, input: [{ at: '1ms' }] }, ['guests[0].input[0]: give one of']],
    [
      'input of two kinds',
      { ...tasks, input: [{ at: '1ms', text: 'x', line: 'y' }] },
      ['guests[0].input[0]: give one of'],
    ],
    [
      'a script that is not there',
      { ...tasks, input: 'script.txt' },
      ['script.txt not found. Fix the path.'],
    ],
    ['a device for a file', { ...tasks, input: '/dev/zero' }, ['guests[0].input: /dev/zero is not a file']],
  ])('a guest with %s', async (_, guest, expected) => {
    const problems = await guestProblems(guest);
    expect(problems).toEqual(expected.map((text) => expect.stringContaining(text)));
  });

  it('reports all malformed lines of an input script', async () => {
    const script =
      '# requests\n10ms line sort\n\n20 line x\n30ms lin x\n40ms bytes 0g\n50ms text "open\n60ms\n';
    const config = configIn('rmk.json', { guests: [{ ...tasks, input: 'in.txt' }] }, { 'in.txt': script });
    const places = problemsOf(await refused(config)).map((problem) =>
      problem.split(':').slice(0, 3).join(':'),
    );
    expect(places).toEqual([4, 5, 6, 7, 8].map((line) => `guests[0].input: in.txt:${line}`));
  });

  it('reports all problems of all guests at once, also those of their files', async () => {
    const problems = await guestProblems(
      { name: 'a', elf: './x.elv', memory: '33MB', inputs: 3 },
      { name: 'a', guest: 'tasks', file: 'x' },
      { name: 'b/c', elf: 'broken.elf', memory: 5000 },
    );
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'guests[0].memory',
      'guests[0].inputs',
      'guests[0].elf',
      'guests[1].name',
      'guests[1].file',
      'guests[2].name',
      'guests[2].elf',
      'guests[2].memory',
    ]);
  });

  it.each([
    [
      'throws',
      '() => { throw new Error("no idea"); }',
      'plugins: the function threw for the guest tasks: no idea',
    ],
    ['gives no list', '() => 5', 'plugins: expected a list of plugins'],
  ])('reports when the function that chooses plugins %s', async (_, plugins, expected) => {
    const guests = JSON.stringify([tasks]);
    const config = configIn('rmk.ts', `export default { guests: ${guests}, plugins: ${plugins} };`);
    expect(problemsOf(await refused(config))).toEqual([expect.stringContaining(expected)]);
  });

  it('follows links, and takes paths relative to the config file, not to the working directory', async () => {
    const config = configIn(
      'deep/rmk.json',
      { guests: [{ name: 'x', elf: '../linked.elf' }], until: '1ms' },
      files,
    );
    const folder = dirname(dirname(config));
    symlinkSync(join(folder, 'x.elf'), join(folder, 'linked.elf'));
    expect((await rmk(['run', config])).code).toBe(ExitCode.DONE);
  });
});
