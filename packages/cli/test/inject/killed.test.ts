import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { folderWith, rmk } from '../rmk.js';
import { experimentFiles } from './experimentFixture.js';

const BIN = fileURLToPath(new URL('../../bin/rmk.js', import.meta.url));
/** `RMK_KILLS=10` for the long form. */
const KILLS = Number(process.env['RMK_KILLS'] ?? 2);

function linesOf(journal: string): number {
  return existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').length - 1 : 0;
}

function recordsIn(journal: string): readonly unknown[] {
  const lines = readFileSync(journal, 'utf8').trimEnd().split('\n').slice(1);
  return lines
    .map((line) => ({ ...(JSON.parse(line) as { readonly number: number }), host: undefined }))
    .toSorted((one, other) => one.number - other.number);
}

describe('a campaign that is killed and resumed, again and again', () => {
  it('has the same records as one that was left alone', async () => {
    const folder = folderWith(experimentFiles({ count: 30 }));
    const file = join(folder, 'flips.json');
    const journal = join(folder, 'killed.jsonl');
    for (let kill = 0; kill < KILLS; kill++) {
      const before = linesOf(journal);
      const child = spawn(process.execPath, [BIN, 'inject', file, '--workers', '1', '--journal', journal], {
        stdio: 'ignore',
      });
      const ended = new Promise((resolve) => child.on('exit', resolve));
      // Until it has got further, and then to a moment that is not foreseen: in the middle of anything.
      while (linesOf(journal) < before + 3 && child.exitCode === null) await wait(5);
      await wait(Math.random() * 60);
      child.kill('SIGKILL');
      await ended;
    }
    expect(linesOf(journal)).toBeGreaterThan(3);
    await rmk(['inject', file, '--workers', '1', '--journal', journal]);
    const alone = join(folder, 'alone.jsonl');
    await rmk(['inject', file, '--workers', '1', '--journal', alone]);
    expect(recordsIn(journal)).toEqual(recordsIn(alone));
  }, 180_000);
});
