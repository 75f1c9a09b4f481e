import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { GuestShell } from '../src/linuxGuest/guestShell.js';
import { temporaryFolder } from './temporaryFolder.js';

const ORDER = readFileSync(fileURLToPath(new URL('../guest/image/order', import.meta.url)), 'utf8');
/** Of a length without padding in base64, which alone could be lost without any harm. */
const COMMAND = `echo 'it has run' "once" >>./runs`;

/** The guest's own script under a shell of the host, in a folder of its own. */
async function lineOfGuest(): Promise<{ readonly folder: string; readonly take: (lines: string) => string }> {
  const folder = await temporaryFolder();
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'order'), ORDER.replaceAll('/tmp/', `${folder}/`), { mode: 0o700 });
  const take = (lines: string): string =>
    execFileSync('sh', {
      input: lines,
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: `${folder}/bin:/usr/bin:/bin` },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  return { folder, take };
}

/** What a shell sends for the command, without the byte that clears the line. */
async function orderOf(command: string): Promise<string> {
  const sent: string[] = [];
  const shell: GuestShell = new GuestShell((data) => {
    const text = new TextDecoder().decode(data).slice(1);
    sent.push(text);
    const id = text.split(' ')[1] ?? '';
    shell.received(new TextEncoder().encode(`rmk-end ${id} 0\n`));
    return Promise.resolve();
  });
  await shell.run(command);
  return sent.join('');
}

describe('a request on the serial line of the guest', () => {
  it('is executed once, however often it arrives, and answered each time', async () => {
    const { folder, take } = await lineOfGuest();
    const order = await orderOf(COMMAND);
    const id = order.split(' ')[1] ?? '';
    expect(take(order + order)).toBe(`rmk-end ${id} 0\n`.repeat(2));
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('it has run once\n');
  });

  it('of which any part is lost does nothing, and the next one is understood', async () => {
    const { folder, take } = await lineOfGuest();
    const order = (await orderOf(COMMAND)).trimEnd();
    const parts = Array.from({ length: order.length - 1 }, (_, index) => [
      order.slice(0, index + 1),
      order.slice(index + 1),
    ]).flat();
    const other = await orderOf('echo understood >understood');
    take(`${parts.filter((part) => part !== order).join('\n')}\n${other}`);
    expect(() => readFileSync(join(folder, 'runs'))).toThrow('ENOENT');
    expect(readFileSync(join(folder, 'understood'), 'utf8')).toBe('understood\n');
  });
});
