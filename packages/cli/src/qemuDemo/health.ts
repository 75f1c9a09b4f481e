import type { GuestJob, JobRound, LinuxGuest } from '@rmk/hypervisor-qemu';
import type { ProtectedLinux } from './protectedLinux.js';

/** A condition that a recovered guest must satisfy. */
export interface HealthCheck {
  readonly what: string;
  readonly holds: boolean;
  /** What was found instead. */
  readonly found?: string;
}

export interface HealthCheckOptions {
  /** Jobs that are started now, beside the running ones. */
  readonly secondJobs?: readonly GuestJob[];
  readonly heartbeatMs?: number;
}

const ROUNDS = 2;
const BEATS_PER_SECOND = 50;
/** A busy host lets the guest beat more slowly. */
const SLOWEST = 0.2;
/** What the kernel logs when it detects an error of its own. */
const ALARMS = 'Oops|BUG:|Call Trace|general protection|lockup|blocked for more than|Kernel panic|segfault';

/** State of a guest before any fault. */
export interface Healthy {
  readonly taint: string;
}

/** Call before anything is done to the guest. */
export async function healthBefore({ shell }: ProtectedLinux): Promise<Healthy> {
  return { taint: await taintOf(shell) };
}

/** Checks that the guest works correctly, its kernel log is clean and its heartbeat continues. */
export async function healthChecks(
  linux: ProtectedLinux,
  workloads: readonly GuestJob[],
  { taint }: Healthy,
  { secondJobs = ['openssl', 'web'], heartbeatMs = 3000 }: HealthCheckOptions = {},
): Promise<readonly HealthCheck[]> {
  const { shell, guest } = linux;
  const running = await shell.jobsDone();
  for (const job of secondJobs) await shell.run(`job ${job} ${ROUNDS}`);
  const all = await shell.jobsDone();
  const second = all.slice(running.length);
  const before = linux.beats;
  await linux.wait(heartbeatMs);
  const beats = linux.beats - before;
  // Lines of the kernel log begin with their time; anything else is the shell's.
  const { output } = await shell.run(`dmesg | grep -E '${ALARMS}'`);
  const alarms = output.split('\n').filter((line) => line.startsWith('['));
  const now = await taintOf(shell);
  return [
    ...workloads.map((job) => answers(job, running, guest)),
    ...secondJobs.map((job) => answers(job, second, guest, ROUNDS)),
    check(
      `heartbeat continues (${beats} beats in ${heartbeatMs / 1000} s)`,
      beats >= (heartbeatMs / 1000) * BEATS_PER_SECOND * SLOWEST,
      `${beats} beats`,
    ),
    check('kernel log is clean', alarms.length === 0, alarms.join('; ')),
    check('kernel is not tainted', now === taint, `taint ${now}, ${taint} before`),
    check('no unexpected events of RMK', linux.unexpected.length === 0, linux.unexpected.join('; ')),
  ];
}

function answers(
  job: GuestJob,
  rounds: readonly JobRound[],
  { answers: known }: LinuxGuest,
  expected?: number,
): HealthCheck {
  const own = rounds.filter((round) => round.job === job);
  const wrong = own.filter(({ answer }) => answer !== known[job]);
  // Each start of a job counts from 1. A repeated or skipped round shows as a jump.
  const jumps = own.filter(({ round }, index) => round !== 1 && round !== (own[index - 1]?.round ?? 0) + 1);
  const complete = expected === undefined ? own.length > 0 : own.length === expected;
  const correct = expected === undefined ? `all ${own.length} rounds` : `${own.length} more rounds`;
  return check(
    `job ${job}: ${correct} gave the known answer`,
    complete && wrong.length === 0 && jumps.length === 0,
    `${own.length} rounds, ${wrong.length} wrong answers, ${jumps.length} jumps in their numbers`,
  );
}

async function taintOf(shell: ProtectedLinux['shell']): Promise<string> {
  return (await shell.run('cat /proc/sys/kernel/tainted')).output.trim();
}

function check(what: string, holds: boolean, found: string): HealthCheck {
  return holds ? { what, holds } : { what, holds, found };
}
