import { appendFileSync, closeSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
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

  it.each(['hasTripleFault', 'skip', 'bound'] as const)(
    'keeps the log short however little is added each time, by %s, and reads on where its writer is',
    async (how) => {
      const { path, log: opened } = await log();
      // As QEMU does, it writes where it was.
      const writer = openSync(path, 'r+');
      let position = statSync(path).size;
      const write = (text: string): void => void (position += writeSync(writer, text, position));
      let longest = 0;
      for (let reset = 0; reset < 500; reset++) {
        write(DUMP);
        opened[how]();
        longest = Math.max(longest, statSync(path).blocks * 512);
      }
      expect(longest).toBeLessThan(100 << 10);
      write(`Triple fault\n${DUMP}`);
      expect([opened.hasTripleFault(), opened.hasTripleFault()]).toEqual([true, false]);
      closeSync(writer);
    },
  );

  it('remembers a triple fault that it found while it kept the log short', async () => {
    const { path, log: opened } = await log();
    appendFileSync(path, `Triple fault\n${DUMP.repeat(50)}`);
    opened.bound();
    expect([opened.hasTripleFault(), opened.hasTripleFault()]).toEqual([true, false]);
  });

  it('does not guess where there is no log', async () => {
    const { path } = await log();
    expect(new ResetLog(`${path}-missing`).hasTripleFault()).toBeUndefined();
  });
});
