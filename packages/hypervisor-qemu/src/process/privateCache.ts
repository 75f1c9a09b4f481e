import { lstat, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { RmkError } from '@rmk/core';

const PRIVATE = 0o700;
const OTHERS_WRITE = 0o022;

/** Folder for what RMK can build again: `$XDG_CACHE_HOME/rmk`, or `~/.cache/rmk`. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  // The specification of the variable demands that a relative path is ignored.
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.cache'), 'rmk');
}

/** Creates a folder that only this user enters: what is booted from it must not be another user's. */
export async function privateFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: PRIVATE });
  const { uid, mode } = await lstat(path);
  if (uid === process.getuid?.() && (mode & OTHERS_WRITE) === 0) return path;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `the cache folder ${path} belongs to another user, or others may write to it; remove it, or set XDG_CACHE_HOME to a folder of your own`,
  );
}
