import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { messageOf, RmkError } from '@rmk/core';
import { nearest } from '@rmk/kernel';

/** Throws RMK_ERR_INPUT for a missing file, with the name that was probably meant, and for a folder. */
export function checkIsFile(path: string): void {
  const found = attempt(path, () => statSync(path, { throwIfNoEntry: false }));
  // A device or a pipe could be read forever.
  if (found?.isFile() === true) return;
  throw new RmkError('RMK_ERR_INPUT', found === undefined ? notFound(path) : `${path} is not a file`);
}

/** `RMK_ERR_INPUT` for what cannot be read. */
export function readInputFile(path: string): Uint8Array {
  checkIsFile(path);
  return attempt(path, () => readFileSync(path));
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new RmkError('RMK_ERR_INPUT', `${path} cannot be read: ${messageOf(error)}`);
  }
}

/** Names the file beside it that was probably meant. */
export function notFound(path: string): string {
  return `${path} not found${neighbour(path)}`;
}

function neighbour(path: string): string {
  try {
    const meant = nearest(basename(path), readdirSync(dirname(path)));
    return meant === undefined ? '. Fix the path.' : `. Did you mean ${join(dirname(path), meant)}?`;
  } catch {
    return `: no folder ${dirname(path)}. Fix the path.`;
  }
}
