import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { messageOf, RmkError } from '@rmk/core';

/** An empty lock file this old is that of a process that died before it wrote its number. */
const EMPTY_FOR_MS = 10_000;
/** Of finding the lock gone, or stale, and then taken by yet another process. */
const TRIES = 10;

/**
 * Locks a journal for this process, by a file beside it that names the process. The lock of a process that has ended
 * does not count. Throws `RMK_ERR_JOURNAL` while another campaign writes the journal, `RMK_ERR_INPUT` if the file
 * cannot be written.
 */
export function lockJournal(journal: string): Disposable {
  const path = `${journal}.lock`;
  for (let tries = 0; tries < TRIES; tries++) {
    if (isCreated(path, journal)) return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
    const found = contentOf(path);
    if (found === undefined) continue;
    if (isHeld(path, found)) throw inUse(journal, path, found);
    removeStale(path, found);
  }
  throw inUse(journal, path, '');
}

/** False if the file exists. */
function isCreated(path: string, journal: string): boolean {
  try {
    const file = openSync(path, 'wx');
    writeSync(file, `${process.pid} ${startOf(process.pid)}`);
    closeSync(file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw new RmkError(
      'RMK_ERR_INPUT',
      `${journal} cannot be locked: ${messageOf(error)}. Choose another path.`,
    );
  }
}

/** Undefined if it is gone. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isHeld(path: string, content: string): boolean {
  if (content === '')
    return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < EMPTY_FOR_MS;
  const [pid = '', start = ''] = content.split(' ');
  return isAlive(Number(pid)) && startOf(Number(pid)) === start;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It runs as another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** When a process started, since another one may have its number later. Empty where the platform does not say. */
function startOf(pid: number): string {
  const stat = contentOf(`/proc/${pid}/stat`) ?? '';
  // The 22nd of all fields is the 20th after the name, which is in brackets and may hold anything.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** Moved aside first: of several processes that find the lock stale, one moves it, and notices if it is no longer. */
function removeStale(path: string, stale: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (contentOf(aside) === stale) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

function inUse(journal: string, path: string, content: string): RmkError {
  const [pid = ''] = content.split(' ');
  const who = pid === '' ? 'another process' : `process ${pid}`;
  return new RmkError(
    'RMK_ERR_JOURNAL',
    `${journal} is being written by ${who} (${path}). Wait for that campaign, or name another file with --journal.`,
  );
}
