import { readFileSync } from 'node:fs';

/** When a process started, in clock ticks since the host booted; undefined where it runs no more. */
export function processStart(pid: number): string | undefined {
  const fields = statFields(`/proc/${pid}/stat`);
  // State, parent, …: the 22nd of all fields is the 20th after the name. A zombie has ended.
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** Host time that a thread has spent on a processor, and has waited for one, in nanoseconds; undefined where it is gone. */
export function threadTimes(
  pid: number,
  thread: number,
): { readonly ranNs: number; readonly waitedNs: number } | undefined {
  const text = read(`/proc/${pid}/task/${thread}/schedstat`);
  const [ran, waited] = text?.split(' ') ?? [];
  if (ran === undefined || waited === undefined) return undefined;
  return { ranNs: Number(ran), waitedNs: Number(waited) };
}

/** The arguments of a process; undefined where it runs no more. */
export function commandLine(pid: number): readonly string[] | undefined {
  return read(`/proc/${pid}/cmdline`)?.split('\0');
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
