import { appendFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ResetLog } from '../src/run/resetLog.js';
import { temporaryFolder } from './temporaryFolder.js';

const DUMP = `CPU Reset (CPU 0)\n${'EAX=00000000 EBX=00000000\n'.repeat(40)}`;

async function log(): Promise<{ readonly path: string; readonly log: ResetLog }> {
  const path = join(await temporaryFolder(), 'reset-log');
  writeFileSync(path, `Triple fault\n${DUMP}`);
  return { path, log: new ResetLog(path) };
}

describe('ResetLog', () => {
  it('finds each triple fault once, and not of those before it was opened', async () => {
    const { path, log: opened } = await log();
    expect(opened.hasTripleFault()).toBe(false);
    appendFileSync(path, DUMP);
    expect(opened.hasTripleFault()).toBe(false);
    appendFileSync(path, `Triple fault\n${DUMP}`);
    expect([opened.hasTripleFault(), opened.hasTripleFault()]).toEqual([true, false]);
  });

  it('takes no notice of what it skips', async () => {
    const { path, log: opened } = await log();
    appendFileSync(path, `Triple fault\n${DUMP}`);
    opened.skip();
    expect(opened.hasTripleFault()).toBe(false);
  });

  it('frees the space of a long log, and reads on at the position of its writer', async () => {
    const { path, log: opened } = await log();
    appendFileSync(path, DUMP.repeat(100));
    const { size } = statSync(path);
    opened.skip();
    expect(statSync(path).size).toBe(0);
    // QEMU writes where it was.
    truncateSync(path, size);
    appendFileSync(path, `Triple fault\n${DUMP}`);
    expect(opened.hasTripleFault()).toBe(true);
    expect(opened.hasTripleFault()).toBe(false);
  });

  it('does not guess where there is no log', async () => {
    const { path } = await log();
    expect(new ResetLog(`${path}-missing`).hasTripleFault()).toBeUndefined();
  });
});
