import type { GuestJob, JobRound, LinuxGuest } from '@rmk/hypervisor-qemu';
import type { ProtectedLinux } from './protectedLinux.js';

/** Something that must hold of a guest that was recovered. */
export interface HealthCheck {
  readonly what: string;
  readonly holds: boolean;
  /** What was found instead. */
  readonly found?: string;
}

const SECOND_JOBS: readonly GuestJob[] = ['openssl', 'web'];
const ROUNDS = 2;
const HEARTBEAT_MS = 3000;
/** Of the 150 that it could be: a busy host lets the guest beat more slowly. */
const FEWEST_BEATS = 30;
/** What the kernel writes when something is wrong with it. */
const ALARMS = 'Oops|BUG:|Call Trace|general protection|lockup|blocked for more than|Kernel panic|segfault';

/** What the guest's health is compared with. */
export interface Healthy {
  readonly taint: string;
}

/** To be asked before anything is done to the guest. */
export async function healthBefore({ shell }: ProtectedLinux): Promise<Healthy> {
  return { taint: await read(shell) };
}

/** Looks whether the guest is as well as before: its work right, its log clean, its heartbeat there. */
export async function healthChecks(
  linux: ProtectedLinux,
  workloads: readonly GuestJob[],
  { taint }: Healthy,
): Promise<readonly HealthCheck[]> {
  const { shell, guest } = linux;
  const running = await shell.jobsDone();
  for (const job of SECOND_JOBS) await shell.run(`job ${job} ${ROUNDS}`);
  const all = await shell.jobsDone();
  const second = all.slice(running.length);
  const before = linux.beats;
  await linux.wait(HEARTBEAT_MS);
  const beats = linux.beats - before;
  const { output: alarms } = await shell.run(`dmesg | grep -E '${ALARMS}'`);
  const now = await read(shell);
  return [
    ...workloads.map((job) => answers(job, running, guest)),
    ...SECOND_JOBS.map((job) => answers(job, second, guest, ROUNDS)),
    check(
      `the heartbeat runs on (${beats} beats in ${HEARTBEAT_MS / 1000} s)`,
      beats >= FEWEST_BEATS,
      `${beats} beats`,
    ),
    check('the log of the kernel tells of nothing wrong', alarms.trim() === '', alarms.trim()),
    check('the kernel is not tainted', now === taint, `taint ${now}, ${taint} before`),
    check('RMK itself had no trouble', linux.mishaps.length === 0, linux.mishaps.join('; ')),
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
  // Each start of a job counts from 1; what was done twice, or left out, shows as a jump.
  const jumps = own.filter(({ round }, index) => round !== 1 && round !== (own[index - 1]?.round ?? 0) + 1);
  const complete = expected === undefined ? own.length > 0 : own.length === expected;
  const rightAnswers = expected === undefined ? `all ${own.length} rounds` : `${own.length} more rounds`;
  return check(
    `${rightAnswers} of the job ${job} gave the known answer`,
    complete && wrong.length === 0 && jumps.length === 0,
    `${own.length} rounds, ${wrong.length} wrong answers, ${jumps.length} jumps in their numbers`,
  );
}

async function read(shell: ProtectedLinux['shell']): Promise<string> {
  return (await shell.run('cat /proc/sys/kernel/tainted')).output.trim();
}

function check(what: string, holds: boolean, found: string): HealthCheck {
  return holds ? { what, holds } : { what, holds, found };
}
