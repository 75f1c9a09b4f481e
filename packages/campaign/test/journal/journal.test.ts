import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Journal, readJournal } from '../../src/index.js';
import { recordOf } from '../recordFixture.js';

const CAMPAIGN = { digest: 'd', seed: 1, experiment: '/x.json' };

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rmk-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'journal.jsonl');
}

function written(path: string, count: number): string {
  const journal = Journal.open(path, CAMPAIGN);
  for (let number = 0; number < count; number++) journal.append(recordOf(number));
  journal.close();
  return readFileSync(path, 'utf8');
}

describe('a journal', () => {
  it('gives back what was appended', () => {
    const path = newPath();
    written(path, 3);
    const journal = Journal.open(path, CAMPAIGN);
    expect(journal.records).toEqual([0, 1, 2].map((number) => recordOf(number)));
    expect(journal.cutBytes).toBe(0);
    journal.append(recordOf(3));
    journal.close();
    expect(readJournal(path).records).toHaveLength(4);
  });

  it('resumes from every length that a kill can leave, and loses at most the experiment that was being written', () => {
    const path = newPath();
    const text = written(path, 4);
    fc.assert(
      fc.property(fc.nat(text.length), (bytes) => {
        writeFileSync(path, text);
        truncateSync(path, bytes);
        const whole = text.slice(0, bytes).split('\n').length - 2;
        const journal = Journal.open(path, CAMPAIGN);
        expect(journal.records).toEqual(Array.from({ length: Math.max(0, whole) }, (_, n) => recordOf(n)));
        journal.append(recordOf(9));
        journal.close();
        expect(readJournal(path)).toMatchObject({ isTorn: false });
        expect(readJournal(path).records).toHaveLength(Math.max(0, whole) + 1);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    [
      'of another experiment',
      (path: string) => Journal.open(path, { ...CAMPAIGN, digest: 'e' }),
      /another experiment/,
    ],
    [
      'that is damaged before its end',
      (path: string) => {
        writeFileSync(path, readFileSync(path, 'utf8').replace('"number":1', '"number"'));
        return Journal.open(path, CAMPAIGN);
      },
      /line 3 is not JSON/,
    ],
    [
      'with a line that is no record',
      (path: string) => {
        writeFileSync(path, readFileSync(path, 'utf8').replace('"number":1', '"number":"1"'));
        return Journal.open(path, CAMPAIGN);
      },
      /line 3 is no record of an experiment/,
    ],
    [
      'that is none',
      (path: string) => {
        writeFileSync(path, '{"name":"notes"}\n');
        return Journal.open(path, CAMPAIGN);
      },
      /not a journal/,
    ],
    [
      'that is a text without a line feed',
      (path: string) => {
        writeFileSync(path, 'my notes');
        return Journal.open(path, CAMPAIGN);
      },
      /not a journal/,
    ],
  ])('is refused if it is one %s, and left as it is', (_, open, message) => {
    const path = newPath();
    written(path, 3);
    expect(() => open(path)).toThrow(message);
    const before = readFileSync(path, 'utf8');
    expect(() => open(path)).toThrow(/RMK_ERR_JOURNAL/);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('names a torn last line to a reader, who does not cut it', () => {
    const path = newPath();
    const text = written(path, 2);
    appendFileSync(path, '{"number":2,');
    expect(readJournal(path)).toMatchObject({ isTorn: true, wholeBytes: text.length });
    expect(readFileSync(path, 'utf8')).toBe(`${text}{"number":2,`);
  });

  it('is written by one campaign at a time', () => {
    const path = newPath();
    const journal = Journal.open(path, CAMPAIGN);
    journal.append(recordOf(0));
    const text = readFileSync(path, 'utf8');
    expect(() => Journal.open(path, CAMPAIGN)).toThrow(
      `RMK_ERR_JOURNAL: ${path} is being written by process ${process.pid} (${path}.lock). Wait for`,
    );
    expect(readFileSync(path, 'utf8')).toBe(text);
    // Whoever reads it needs no lock.
    expect(readJournal(path).records).toHaveLength(1);
    journal.close();
    expect(existsSync(`${path}.lock`)).toBe(false);
    Journal.open(path, CAMPAIGN).close();
  });

  it.each([
    ['has ended', (pid: number) => `${pid} 1`],
    ['has ended, on a platform without start times', (pid: number) => `${pid} `],
    ['has ended, while another now has its number', () => `${process.pid} 1`],
  ])('is not kept from others by a process that %s', (_, lock) => {
    const path = newPath();
    const { pid } = spawnSync(process.execPath, ['--version']);
    writeFileSync(`${path}.lock`, lock(pid));
    written(path, 2);
    expect(readdirSync(dirname(path))).toEqual(['journal.jsonl']);
  });

  it('is not locked by an open that was refused', () => {
    const path = newPath();
    written(path, 2);
    expect(() => Journal.open(path, { ...CAMPAIGN, digest: 'e' })).toThrow(/another experiment/);
    expect(Journal.open(path, CAMPAIGN).records).toHaveLength(2);
  });

  it('believes a lock that is just being written, and one that was left empty long ago no longer', () => {
    const path = newPath();
    writeFileSync(`${path}.lock`, '');
    expect(() => Journal.open(path, CAMPAIGN)).toThrow(/is being written by another process/);
    utimesSync(`${path}.lock`, 0, 0);
    Journal.open(path, CAMPAIGN).close();
  });

  it('counts experiments, not lines', () => {
    const path = newPath();
    const lines = written(path, 3).split('\n');
    appendFileSync(path, `${lines[1]}\n${lines[2]}\n`);
    expect(readJournal(path).records.map(({ number }) => number)).toEqual([0, 1, 2]);
  });
});
