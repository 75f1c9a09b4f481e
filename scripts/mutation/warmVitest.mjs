// Starts the vitest of child.mjs, gives it test files, and ends it if it makes no progress.
import { fork } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../workspaces.mjs';

export class WarmVitest {
  #folder = mkdtempSync(join(tmpdir(), 'rmk-mutation-'));
  #journal = join(this.#folder, 'journal.jsonl');
  #silenceMs;
  #child;

  /** `silenceMs`: how long a try may take. */
  constructor({ sources, tests, silenceMs }) {
    this.#silenceMs = silenceMs;
    writeFileSync(join(this.#folder, 'sources.json'), JSON.stringify({ sources, tests }));
  }

  /** Runs a test file; resolves to how it ended and to what its runner wrote. */
  async run(file, state) {
    writeFileSync(join(this.#folder, 'state.json'), JSON.stringify({ ...state, journal: this.#journal }));
    writeFileSync(this.#journal, '');
    this.#child ??= await this.#start();
    const outcome = await this.#ask(this.#child, file);
    const entries = readFileSync(this.#journal, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    return { ...outcome, entries };
  }

  #ask(child, file) {
    return new Promise((resolve, reject) => {
      const end = (result) => {
        clearInterval(watch);
        child.removeAllListeners();
        if (result.error) reject(new Error(result.error));
        else resolve(result);
      };
      const watch = setInterval(() => {
        if (Date.now() - statSync(this.#journal).mtimeMs < this.#silenceMs) return;
        this.#kill();
        end({ isSilent: true });
      }, 1000);
      child.on('message', end);
      child.on('exit', (code) => {
        this.#child = undefined;
        end({ error: `vitest ended with code ${code}` });
      });
      appendFileSync(this.#journal, '');
      child.send(file);
    });
  }

  close() {
    this.#kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start() {
    const child = fork(fileURLToPath(new URL('child.mjs', import.meta.url)), [], {
      cwd: root,
      detached: true, // a group of its own, so that its workers end with it
      stdio: ['ignore', 'ignore', process.env.RMK_MUTATION_DEBUG ? 'inherit' : 'ignore', 'ipc'],
      env: {
        ...process.env,
        NODE_ENV: 'test',
        RMK_MUTATION_STATE: join(this.#folder, 'state.json'),
        RMK_MUTATION_SOURCES: join(this.#folder, 'sources.json'),
      },
    });
    await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`vitest did not start: code ${code}`)));
    });
    child.removeAllListeners();
    return child;
  }

  #kill() {
    if (!this.#child) return;
    this.#child.removeAllListeners();
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
    this.#child = undefined;
  }
}
