import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { ModelError } from '../errors.js';

/** What a command may do to the outside, besides reading and writing the files that it is told. */
export interface CommandIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** 0 done, 2 wrong usage or input. Sets the code; does not end the process. */
  exit(code: 0 | 2): void;
}

/** The process's own. */
export const processIo: CommandIo = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  exit: (code) => {
    process.exitCode = code;
  },
};

/** Runs an action; what a user did wrong is told without a stack trace. */
export async function act(io: CommandIo, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    io.stderr(`${error.message}\n`);
    io.exit(2);
  }
}

/** @throws ModelError for a file that cannot be read. */
export async function readText(path: string): Promise<string> {
  try {
    // Some editors begin a file with a byte order mark, which is no part of the text.
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    throw new ModelError('RMK_ERR_FILE', `${path === '' ? '""' : path} cannot be read: ${reason(error)}`);
  }
}

/** @throws ModelError for a file that cannot be read or holds no JSON. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ModelError('RMK_ERR_FILE', `${path} holds no JSON: ${reason(error)}`);
  }
}

/** @throws ModelError for a file that cannot be written. */
export async function writeText(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (error) {
    throw new ModelError('RMK_ERR_FILE', `${path} cannot be written: ${reason(error)}`);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The value of an option that is a number. What range it may have is the model's to say. */
export function numberOption(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError(`"${text}" is not a number.`);
  return value;
}

/** The value of an option that is two numbers: `a,b`. */
export function pairOption(text: string): readonly [number, number] {
  const [first, second, ...more] = text.split(',').map(numberOption);
  if (first === undefined || second === undefined || more.length > 0) {
    throw new InvalidArgumentError(`"${text}" is not two numbers with a comma between.`);
  }
  return [first, second];
}

/** Gathers the values of an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
