import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Journal, readJournal } from '@rmk/campaign';
import { parseLatencySamples } from '@rmk/model';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/exitCode.js';
import { folderWith, rmk } from '../rmk.js';
import { experimentFiles } from './experimentFixture.js';

interface Line {
  readonly number: number;
  readonly fault: string;
  readonly outcome: string;
}

/** The records of a journal without host times, by number. */
function recordsIn(path: string): readonly Line[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(1);
  const records = lines.map((line) => {
    const { host: _, ...record } = JSON.parse(line) as Line & { readonly host: object };
    return record;
  });
  return records.toSorted((one, other) => one.number - other.number);
}

describe('rmk inject', () => {
  it('runs each experiment once, resumes without repeating, and gives the same records with two workers', async () => {
    const folder = folderWith(experimentFiles());
    const file = join(folder, 'flips.json');
    const samples = join(folder, 'samples.txt');
    const said = await rmk(['inject', file, '--workers', '1', '--json', '--samples', samples]);
    expect(said.err).toBe('');
    expect(said.code).toBe(ExitCode.DONE);
    const { planned, pooled, byFault } = JSON.parse(said.out) as {
      readonly planned: number;
      readonly pooled: { readonly injected: number; readonly detected: number };
      readonly byFault: Readonly<Record<string, unknown>>;
    };
    expect([planned, pooled.injected]).toEqual([24, 24]);
    expect(pooled.detected).toBeGreaterThan(5);
    expect(Object.keys(byFault)).toEqual(['register-flip', 'wild-jump']);
    expect(parseLatencySamples(readFileSync(samples, 'utf8')).samples.length).toBeGreaterThanOrEqual(
      pooled.detected,
    );

    const journal = join(folder, 'flips.journal.jsonl');
    const records = recordsIn(journal);
    expect(records.map(({ number }) => number)).toEqual(Array.from({ length: 24 }, (_, number) => number));
    expect(
      records.filter(({ fault }) => fault === 'wild-jump').every(({ outcome }) => outcome === 'recovered'),
    ).toBe(true);

    // Torn in the middle of its last line: that experiment alone runs again.
    const text = readFileSync(journal, 'utf8');
    const whole = text.slice(0, -40);
    const torn = join(folder, 'torn.jsonl');
    appendFileSync(torn, whole);
    const resumed = await rmk(['inject', file, '--workers', '1', '--journal', torn]);
    expect(resumed.err).toContain('the torn last line');
    expect(resumed.err).toContain('resumes after 23 of 24 experiments');
    expect(recordsIn(torn)).toEqual(records);

    const parallel = join(folder, 'parallel.jsonl');
    expect((await rmk(['inject', file, '--workers', '2', '--journal', parallel])).code).toBe(ExitCode.DONE);
    expect(recordsIn(parallel)).toEqual(records);

    const inUse = Journal.open(parallel, readJournal(parallel).header);
    const refused = await rmk(['inject', file, '--journal', parallel]);
    inUse.close();
    expect(refused).toMatchObject({ code: ExitCode.USAGE, out: '' });
    expect(refused.err).toMatch(/^RMK_ERR_JOURNAL: .*parallel\.jsonl is being written by process \d+/);
    expect(recordsIn(parallel)).toEqual(records);
  }, 120_000);

  it('replays an experiment with every event of its domain, and says where it first differs', async () => {
    const folder = folderWith(experimentFiles({ faults: ['wild-jump'], count: 1 }));
    const file = join(folder, 'flips.json');
    await rmk(['inject', file, '--workers', '1']);
    const said = await rmk(['inject', 'replay', join(folder, 'flips.journal.jsonl'), '0']);
    expect(said).toMatchObject({ code: ExitCode.DONE, err: '' });
    expect(said.out).toMatch(/ {5}0\.\d{5} ms {2}EVT_ERRORDETECTED @rmk\/pin-vmsignal/);
    expect(said.out).toContain('EVT_RECOVERED @rmk/recovery');
    expect(said.out).toContain('"outcome": "recovered"');
    expect(said.out).not.toContain('"to":"stopping"');
    expect((await rmk(['inject', 'replay', join(folder, 'flips.journal.jsonl'), '7'])).err).toContain(
      'holds no experiment 7',
    );

    const why = await rmk(['inject', 'why', join(folder, 'flips.journal.jsonl'), '0']);
    expect(why).toMatchObject({ code: ExitCode.DONE, err: '' });
    expect(why.out).toMatch(
      /^experiment 0: jumps to address 0.*: recovered\ninjected {5}\d+\.\d{5} ms, instruction \d+\n/,
    );
    expect(why.out).toMatch(/\nexecuting {4}0x0 instead of 0x80[0-9a-f]{6} <\w+\+0x[0-9a-f]+>\n/);
  });
});

describe('rmk inject with a margin', () => {
  it('ends at a multiple of 100 experiments, with any number of workers, and after an interruption', async () => {
    const folder = folderWith(experimentFiles({ faults: ['wild-jump'], count: 400 }));
    const file = join(folder, 'flips.json');
    const journal = join(folder, 'flips.journal.jsonl');
    const said = await rmk(['inject', file, '--workers', '1', '--margin', '0.03', '--json']);
    expect(said).toMatchObject({ code: ExitCode.DONE, err: '' });
    const all = { value: 1, low: expect.closeTo(0.963, 3), high: 1, confidence: 0.95 };
    expect(JSON.parse(said.out)).toMatchObject({ pooled: { injected: 100, recoveredOfDetected: all } });
    const records = recordsIn(journal);
    expect(records).toHaveLength(100);

    const torn = join(folder, 'torn.jsonl');
    appendFileSync(torn, readFileSync(journal, 'utf8').split('\n').slice(0, 81).join('\n').concat('\n'));
    await rmk(['inject', file, '--workers', '2', '--margin', '0.03', '--journal', torn]);
    expect(recordsIn(torn)).toEqual(records);
  }, 60_000);

  it('says so if the count comes first', async () => {
    const folder = folderWith(experimentFiles({ faults: ['wild-jump'], count: 3, margin: 0.2 }));
    const said = await rmk(['inject', join(folder, 'flips.json'), '--workers', '1', '--no-journal']);
    expect(said.code).toBe(ExitCode.DONE);
    expect(said.err).toMatch(/not known to ± 0\.2 after 3 experiments: it is known to ± 0\.2807/);
  });
});

describe('rmk inject table5', () => {
  it('injects the first faults of each row, without picking any', async () => {
    const said = await rmk(['inject', 'table5', '--faults', '1', '--workers', '1', '--json']);
    expect(said).toMatchObject({ code: ExitCode.DONE, err: '' });
    const { rows } = JSON.parse(said.out) as { readonly rows: readonly object[] };
    const allRecovered = { injected: 1, activatedAndDetected: 1, recovered: 1, restarted: 0 };
    expect(rows).toMatchObject([
      { ...allRecovered, paper: { injected: 35, activatedAndDetected: 35, recovered: 35 } },
      { ...allRecovered, paper: { injected: 85, activatedAndDetected: 31, recovered: 31 } },
      { ...allRecovered, paper: { injected: 30, activatedAndDetected: 30, recovered: 24 } },
    ]);
  }, 60_000);
});

describe('a bad experiment', () => {
  it.each<[string, object, RegExp]>([
    [
      'an unknown fault',
      { faults: ['register-flop'] },
      /faults\[0\]: unknown fault "register-flop", did you mean register-flip/,
    ],
    [
      'an unknown trigger',
      { faults: [{ fault: 'wild-jump', trigger: 'checkpiont' }] },
      /faults\[0\]\.trigger: unknown trigger "checkpiont", did you mean checkpoint/,
    ],
    [
      'an unknown option of a trigger',
      { faults: [{ fault: 'wild-jump', trigger: { trigger: 'symbol', options: { name: 'main' } } }] },
      /faults\[0\]\.trigger\.options\.name: unknown key/,
    ],
    [
      'an unknown register',
      { faults: [{ fault: 'register-flip', options: { registers: ['mepx'] } }] },
      /faults\[0\]: unknown register "mepx", did you mean mepc/,
    ],
    [
      'an unknown option of a fault',
      { faults: [{ fault: 'register-flip', options: { register: 'mepc' } }] },
      /faults\[0\]\.options\.register: unknown key, did you mean registers/,
    ],
    ['an unknown key', { fautls: [] }, /fautls: unknown key, did you mean faults/],
    ['a margin that no interval has', { margin: 0.5 }, /margin: /],
    [
      'an interval that is too long',
      { protect: { interval: '50ms' } },
      /RMK_ERR_INPUT.*Shorten the interval/,
    ],
    [
      'a guest that fails its own check',
      { steadyState: { output: 'Linux' } },
      /RMK_ERR_GOLDEN.*steady-state check/,
    ],
    ['a guest without a loop to hang in', { faults: ['task-loop'] }, /no symbol task_park/],
  ])('%s is refused, and nothing is written', async (_, changes, message) => {
    const folder = folderWith(experimentFiles(changes));
    const said = await rmk(['inject', join(folder, 'flips.json'), '--workers', '1']);
    expect(said.err).toMatch(message);
    expect(said.code).toBe(ExitCode.USAGE);
    expect(said.out).toBe('');
    expect(existsSync(join(folder, 'flips.journal.jsonl'))).toBe(false);
  });

  it('does not touch the journal of another one', async () => {
    const folder = folderWith({
      ...experimentFiles({ count: 1 }),
      'other.json': experimentFiles({ seed: 9 })['flips.json'] ?? '',
    });
    await rmk(['inject', join(folder, 'flips.json'), '--workers', '1']);
    const journal = join(folder, 'flips.journal.jsonl');
    const before = readFileSync(journal, 'utf8');
    const said = await rmk(['inject', join(folder, 'other.json'), '--workers', '1', '--journal', journal]);
    expect(said.code).toBe(ExitCode.USAGE);
    expect(said.err).toMatch(/RMK_ERR_JOURNAL.*another experiment/);
    expect(readFileSync(journal, 'utf8')).toBe(before);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['an unknown command', ['inject', 'table6'], /RMK_ERR_INPUT.*table6 not found/],
    [
      'a journal that is missing',
      ['inject', 'replay', 'none.jsonl', '0'],
      /RMK_ERR_INPUT: none.jsonl cannot be read/,
    ],
    [
      'a journal to explain that is missing',
      ['inject', 'why', 'none.jsonl', '0'],
      /none.jsonl cannot be read/,
    ],
    ['a number that is none', ['inject', 'replay', 'none.jsonl', 'x'], /"x" is not a number/],
    ['no faults', ['inject', 'table5', '--faults', '0'], /"0" is not a whole number of 1 or more/],
  ])('%s is refused', async (_, args, message) => {
    const said = await rmk(args);
    expect(said.err).toMatch(message);
    expect(said).toMatchObject({ code: ExitCode.USAGE, out: '' });
  });

  it.each(['--journal', '--samples'])(
    'is refused before the first experiment if %s cannot be written',
    async (option) => {
      const folder = folderWith({ ...experimentFiles({ count: 1 }), file: '' });
      const said = await rmk([
        'inject',
        join(folder, 'flips.json'),
        '--workers',
        '1',
        option,
        join(folder, 'file/x'),
      ]);
      expect(said.err).toMatch(/RMK_ERR_INPUT: .*file\/x cannot be/);
      expect(said).toMatchObject({ code: ExitCode.USAGE, out: '' });
      expect(existsSync(join(folder, 'flips.journal.jsonl'))).toBe(false);
    },
  );

  it('can be written in TypeScript, with a fault of one’s own', async () => {
    const files = experimentFiles();
    const folder = folderWith({
      'requests.txt': files['requests.txt'] ?? '',
      'own.ts': `
import { defineFault } from '@rmk/campaign';
import { defineExperiment } from '@rmk/cli';
import { z } from 'zod';

const stackLost = defineFault({
  name: 'stack-lost',
  summary: 'clears the stack pointer',
  options: z.strictObject({}),
  draw: () => ({}),
  inject: ({ machine }) => machine.writeRegister('sp', 0n),
  describe: () => 'sp set to 0',
});

export default defineExperiment({
  guest: { name: 'server', guest: 'server', input: './requests.txt' },
  protect: {
    interval: '2ms',
    hang: { threshold: '5ms' },
    signals: { latencyBound: { bound: '2ms', quantile: 0.95 } },
  },
  faults: [stackLost],
  count: 2,
});
`,
    });
    const said = await rmk(['inject', join(folder, 'own.ts'), '--workers', '1', '--json']);
    expect(said.err).toBe('');
    expect(Object.keys((JSON.parse(said.out) as { readonly byFault: object }).byFault)).toEqual([
      'stack-lost',
    ]);
  });
});
