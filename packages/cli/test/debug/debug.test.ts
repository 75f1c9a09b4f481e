import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { debuggedIncident } from '../../src/debug/debuggedIncident.js';
import { ExitCode, main } from '../../src/index.js';
import { COUNTS } from '../boardPrograms.js';
import { experimentFiles } from '../inject/experimentFixture.js';
import { configIn, rmk } from '../rmk.js';
import { describeGdb, GDB } from './gdbPresent.js';

const run = promisify(execFile);
const GDB_MS = 30_000;

/** Lets gdb execute commands on a guest that `rmk debug` serves, and kill it. Gives what gdb said. */
async function gdb(args: readonly string[], commands: readonly string[]): Promise<string> {
  let out = '';
  let served: (address: string) => void = () => {};
  const address = new Promise<string>((resolve) => (served = resolve));
  const ended = main(['debug', ...args], {
    out: (text) => {
      out += text;
      const found = /target remote ([^']+)'/.exec(out)?.[1];
      if (found !== undefined) served(found);
    },
    err: (text) => void (out += text),
  });
  const at = await Promise.race([address, ended.then(() => Promise.reject(new Error(out)))]);
  const all = ['set confirm off', 'set pagination off', `target remote ${at}`, ...commands, 'kill'];
  const { stdout, stderr } = await run(
    GDB,
    ['-nx', '-batch', ...all.flatMap((command) => ['-ex', command])],
    {
      timeout: GDB_MS,
    },
  );
  expect(await ended).toBe(ExitCode.DONE);
  return stdout + stderr;
}

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

const TASKS = { guests: [{ name: 'tasks', guest: 'tasks' }] };

describeGdb('rmk debug with gdb', () => {
  it('shows registers, memory and code, steps, and steps back', async () => {
    const said = await gdb(
      [configIn('rmk.config.json', TASKS)],
      [
        'p/x $pc',
        'stepi',
        'stepi',
        'p/x $pc',
        'reverse-stepi',
        'reverse-stepi',
        'p/x $pc',
        'reverse-stepi',
        'p $priv',
        'p/x $mstatus',
        'x/2i $pc',
        'set var $a0 = 7',
        'p $a0',
        'set var *(int*)0x80100000 = 99',
        'p *(int*)0x80100000',
      ],
    );
    expect(said).toContain('$1 = 0x80000000');
    expect(said).toContain('$3 = 0x80000000');
    expect(said).toContain('No more reverse-execution history.');
    expect(said).toMatch(/=> 0x80000000/);
    expect(said).toContain('= 99');
  });

  it('stops at breakpoints and watchpoints, forward and back', async () => {
    const said = await gdb(
      [
        configIn(
          'rmk.config.json',
          { guests: [{ name: 'counts', elf: './counts.elf' }] },
          { 'counts.elf': COUNTS },
        ),
      ],
      [
        'stepi 40',
        'p/x $pc',
        'break *$pc',
        'reverse-stepi 20',
        'continue',
        'p/x $pc',
        'delete',
        'watch *(int*)0x80001000',
        'continue',
        'p *(int*)0x80001000',
        'reverse-continue',
        'p *(int*)0x80001000',
        'delete',
        'monitor checkpoints',
        'reverse-continue',
        'p/x $pc',
      ],
    );
    const [, at] = /\$1 = (0x[0-9a-f]+)/.exec(said) ?? [];
    expect(said).toContain(`$2 = ${at}`);
    expect(said).toContain('Breakpoint 1, ');
    expect(said).toMatch(/Old value = \d+\nNew value = \d+/);
    expect(said).toContain('now at instruction');
    // After the store, and before it.
    expect(said).toContain('0x80000010 in');
    expect(said).toContain('0x8000000c in');
    const [before, after] = ['$4', '$3'].map((name) => Number(said.split(`${name} = `)[1]?.split('\n')[0]));
    expect(before).toBe((after ?? 0) - 1);
    expect(said).toContain('$5 = 0x80000000');
  });

  it('stops where an error is detected, and goes back to what caused it', async () => {
    const journal = await wildJumpJournal();
    const said = await gdb(
      ['--incident', journal, '0'],
      ['p/x $pc', 'continue', 'monitor incident', 'reverse-stepi', 'p/x $pc', 'reverse-continue'],
    );
    expect(said).toContain('$1 = 0x0');
    expect(said).toMatch(/RMK: crash detected by @rmk\/\S+: instruction-access-fault/);
    expect(said).toContain('Program received signal SIGABRT');
    expect(said).toContain('$2 = 0x0');
    expect(said).toContain('injected at instruction');
    expect(said).toContain('No more reverse-execution history.');
  });
});

let wildJumps: Promise<string> | undefined;

/** A journal of two wild jumps, made once. */
function wildJumpJournal(): Promise<string> {
  return (wildJumps ??= journalOf(['wild-jump'], 2));
}

/** The journal of a new campaign. Its folder goes with the file of tests. */
async function journalOf(faults: readonly (string | object)[], count: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'rmk-debug-test-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(experimentFiles({ faults, count })))
    writeFileSync(join(folder, name), content);
  const journal = `${folder}/j.jsonl`;
  const { code, err } = await rmk(['inject', `${folder}/flips.json`, '--journal', journal, '--workers', '1']);
  expect(err).not.toContain('RMK_ERR');
  expect(code).not.toBe(ExitCode.USAGE);
  return journal;
}

it('refuses what cannot be debugged', async () => {
  const config = configIn('rmk.config.json', {
    guests: [TASKS.guests[0], { name: 'other', guest: 'tasks' }],
  });
  expect((await rmk(['debug', 'nowhere.json'])).err).toContain('nowhere.json');
  expect((await rmk(['debug', config])).err).toContain('Choose one by --guest: tasks, other.');
  expect((await rmk(['debug', config, '--guest', 'third'])).err).toContain('no guest "third"');
  const journal = await wildJumpJournal();
  expect((await rmk(['debug', '--incident', journal, '99'])).err).toContain('holds no experiment 99');
  expect((await rmk(['debug', '--incident', journal, 'x'])).err).toContain('"x" is no number');
  expect((await rmk(['debug', config, '--port', '70000'])).code).toBe(ExitCode.USAGE);

  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const said = await rmk(['debug', config, '--guest', 'tasks', '--port', String(port)]);
  expect(said.code).toBe(ExitCode.USAGE);
  expect(said.err).toContain(`port ${port}`);
});

it('refuses guests in QEMU, with the reason', async () => {
  const config = configIn(
    'rmk.config.json',
    { guests: [{ name: 'linux', qemu: { kernel: './bzImage', initrd: './initrd' } }] },
    { bzImage: '', initrd: '' },
  );
  const { code, err } = await rmk(['debug', config]);
  expect(err).toContain('guest linux is in QEMU, which cannot be turned back');
  expect(code).toBe(ExitCode.USAGE);
});

it('refuses a fault that lasts, and no other', async () => {
  const lasting = await journalOf([{ fault: 'stuck-at', options: { lasts: '1us' } }], 1);
  await expect(debuggedIncident(lasting, 0)).rejects.toThrow('experiment 0 has a fault that lasts');
  const ended = await journalOf(['interrupt-lost'], 1);
  const debugged = await debuggedIncident(ended, 0);
  expect(debugged.incident).toMatch(
    /^experiment 0: the timer interrupt is lost: .* at instruction [1-9]\d*$/,
  );
  // What was there before the injection can be gone back to.
  expect(await debugged.travel.reverseContinue()).toEqual({ why: 'begin' });
  await debugged.close();
});
