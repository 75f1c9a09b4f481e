import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { main, type Conversation, type Terminal } from '../src/index.js';
import { temporaryFolder } from './temporaryFolder.js';

/** A terminal that remembers, with nobody there unless somebody is. */
class RecordedTerminal implements Terminal {
  stdout = '';
  stderr = '';
  readonly out = (text: string) => void (this.stdout += text);
  readonly err = (text: string) => void (this.stderr += text);
  readonly conversation?: Conversation;

  constructor(conversation?: Conversation) {
    if (conversation !== undefined) this.conversation = conversation;
  }
}

/** Somebody who types each of these once the question before it is there. */
function somebody(...answers: readonly { readonly to: string; readonly keys: string }[]) {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  const waiting = [...answers];
  let shown = '';
  output.on('data', (data: Buffer) => {
    shown += data.toString();
    const [next] = waiting;
    if (next === undefined || !shown.includes(next.to)) return;
    waiting.shift();
    setImmediate(() => {
      for (const key of next.keys) input.write(key);
    });
  });
  return { input, output, shown: () => shown };
}

const ENTER = '\r';
const DOWN = '\u001b[B';
const CTRL_C = '\u0003';

describe('npm create rmk-plugin', () => {
  it('writes what the arguments say, asks nothing, and says what comes next', async () => {
    using folder = temporaryFolder();
    const terminal = new RecordedTerminal();
    const directory = join(folder.path, 'fan');
    expect(await main(['fan', '--kind', 'pin', '--directory', directory, '--yes'], terminal)).toBe(0);
    expect(existsSync(join(directory, 'src/fan.ts'))).toBe(true);
    expect(terminal.stdout).toMatch(/^rmk-plugin-fan is written, \d+ files: what a pin needs/);
    expect(terminal.stdout).toMatch(/ {2}cd .*fan\n {2}npm install\n {2}npm run build\n {2}npm test\n$/);
    expect(terminal.stderr).toBe('');
  });

  it('speaks of an algorithm', async () => {
    using folder = temporaryFolder();
    const terminal = new RecordedTerminal();
    await main(['fan', '--kind', 'algorithm', '--directory', join(folder.path, 'fan')], terminal);
    expect(terminal.stdout).toContain('what an algorithm needs');
  });

  it.each([
    [[], 'missing: the name and --kind (pin, detector, recovery, algorithm); this is no terminal'],
    [['fan'], 'missing: --kind (pin, detector, recovery, algorithm)'],
    [['--kind', 'pin', '--yes'], 'missing: the name; with --yes nothing is asked'],
    [
      ['fan', '--kind', 'gadget'],
      "'gadget' is invalid. Allowed choices are pin, detector, recovery, algorithm",
    ],
    [['fan', 'pin', '--kind', 'pin'], 'too many arguments'],
    [['fan', '--sort', 'pin'], "unknown option '--sort'"],
    [['Fan', '--kind', 'pin'], '"Fan" is no name for a plugin: it takes lower-case letters'],
  ])('refuses %j with exit code 2, and says why', async (args, message) => {
    const terminal = new RecordedTerminal();
    expect(await main(args, terminal)).toBe(2);
    expect(terminal.stderr).toContain(message);
    expect(terminal.stderr).not.toContain('    at ');
    expect(terminal.stdout).toBe('');
  });

  it('says why it cannot write, and where', async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'file');
    writeFileSync(file, '');
    const terminal = new RecordedTerminal();
    expect(await main(['fan', '--kind', 'pin', '--directory', join(file, 'fan')], terminal)).toBe(1);
    expect(terminal.stderr).toMatch(/^the plugin could not be written: ENOTDIR.*\n$/);
  });

  it('shows its help and its version', async () => {
    const terminal = new RecordedTerminal();
    expect(await main(['--help'], terminal)).toBe(0);
    expect(terminal.stdout).toContain('npm create rmk-plugin room-temperature -- --kind detector');
    expect(await main(['--version'], terminal)).toBe(0);
  });
});

describe('with somebody there', () => {
  it('asks for what the arguments do not say', async () => {
    using folder = temporaryFolder();
    const { shown, ...conversation } = somebody(
      { to: 'What is the plugin called?', keys: `fan${ENTER}` },
      { to: 'What is it?', keys: DOWN },
      { to: 'notices that the guest is not healthy', keys: ENTER },
    );
    const directory = join(folder.path, 'fan');
    const terminal = new RecordedTerminal(conversation);
    expect(await main(['--directory', directory], terminal)).toBe(0);
    expect(terminal.stdout).toContain('rmk-plugin-fan is written');
    expect(terminal.stdout).toContain('what a detector needs');
    expect(shown()).toContain('wraps a capability of the hypervisor');
  });

  it('asks again where the name will not do', async () => {
    using folder = temporaryFolder();
    const { shown, ...conversation } = somebody(
      { to: 'What is the plugin called?', keys: `Fan${ENTER}` },
      { to: 'is no name for a plugin', keys: `\u007f\u007f\u007ffan${ENTER}` },
    );
    const directory = join(folder.path, 'fan');
    const terminal = new RecordedTerminal(conversation);
    expect(await main(['--kind', 'pin', '--directory', directory], terminal)).toBe(0);
    expect(shown()).toContain('lower-case letters');
    expect(terminal.stdout).toContain('rmk-plugin-fan is written');
  });

  it('writes nothing where they give up', async () => {
    using folder = temporaryFolder();
    const conversation = somebody({ to: 'What is it?', keys: CTRL_C });
    const directory = join(folder.path, 'fan');
    const terminal = new RecordedTerminal(conversation);
    expect(await main(['fan', '--directory', directory], terminal)).toBe(1);
    expect(terminal.stderr).toBe('Nothing was written.\n');
    expect(existsSync(directory)).toBe(false);
  });
});
