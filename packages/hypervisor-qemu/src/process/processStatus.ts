import { readdirSync, readFileSync } from 'node:fs';

/** When a process started, in clock ticks since the host booted; undefined if it has ended. */
export function processStart(pid: number): string | undefined {
  const fields = statFields(`/proc/${pid}/stat`);
  // State, parent, …: the 22nd of all fields is the 20th after the name. A zombie has ended.
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** What a thread has done since it started, and what it does now. */
export interface ThreadActivity {
  /**
   * Host time on a processor, and waiting for one. Exact while the thread sleeps; otherwise without the present
   * stretch.
   */
  readonly ranNs: number;
  readonly waitedNs: number;
  readonly sleeps: boolean;
}

/** Undefined if the thread has ended. */
export function threadActivity(pid: number, thread: number): ThreadActivity | undefined {
  const state = statFields(`/proc/${pid}/task/${thread}/stat`)?.[0];
  const [ran, waited] = read(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ') ?? [];
  if (state === undefined || ran === undefined || waited === undefined) return undefined;
  return { ranNs: Number(ran), waitedNs: Number(waited), sleeps: state !== 'R' };
}

/** The arguments of a process; undefined if it has ended. */
export function commandLine(pid: number): readonly string[] | undefined {
  return read(`/proc/${pid}/cmdline`)?.split('\0');
}

/** The process whose arguments mention `text`; undefined if this user can see none. */
export function processMentioning(text: string): number | undefined {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .find((pid) => commandLine(pid)?.some((argument) => argument.includes(text)) === true);
}

/** What follows the name, which is in brackets and may hold anything. */
function statFields(path: string): readonly string[] | undefined {
  const text = read(path);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
