import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { main } from '../../src/index.js';

/** Makes a folder that is removed at the end of the test. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rmk-model-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** Writes a file into a folder of its own. */
export async function file(name: string, content: string): Promise<string> {
  const path = join(await folder(), name);
  await writeFile(path, content);
  return path;
}

/** Runs `rmk model` and captures its output. */
export async function run(...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  let [stdout, stderr] = ['', ''];
  const code = await main(['model', ...args], {
    out: (text) => void (stdout += text),
    err: (text) => void (stderr += text),
  });
  return { stdout, stderr, code };
}

/** The result of `rmk model ... --json`, where it warns of nothing. */
export async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout, stderr, code } = await run(...args, '--json');
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return JSON.parse(stdout) as Record<string, unknown>;
}
