import { RmkError, type Nanoseconds, type RecoveryRecord } from '@rmk/core';
import type { GuestFault, GuestJob } from '@rmk/hypervisor-qemu';
import type { ProtectedLinux } from './protectedLinux.js';

/** An injected failure of the guest's kernel, and its recovery. */
export interface LinuxIncident {
  readonly fault: GuestFault;
  readonly workload: GuestJob;
  /**
   * Domain time from the request to fail, on the serial line, to the detection. Includes the time until the guest reads
   * it.
   */
  readonly latencyNs: Nanoseconds;
  /** Recoveries in order; the error did not come back after the last one. */
  readonly recoveries: readonly RecoveryRecord[];
  /** Heartbeats in the seconds after the recovery. */
  readonly beatsAfter: number;
}

export const FAULT_TEXTS: Readonly<Record<GuestFault, string>> = {
  panic: 'a panic of the kernel',
  oops: 'a null pointer in the kernel',
  bug: 'a bug check in the kernel',
  hang: 'a hang with interrupts off',
  spin: 'a spin with preemption off',
  halt: 'a halt with interrupts off',
  'triple-fault': 'a triple fault',
};

const DETECTED_WITHIN_MS = 15_000;
/** An error that comes back is detected within this time. */
const SETTLED_AFTER_MS = 1500;
const ANSWER_WITHIN_MS = 10_000;

/** Makes the guest's kernel fail and waits for its recovery. Throws RMK_ERR_STATE if it does not recover. */
export async function provoke(
  linux: ProtectedLinux,
  fault: GuestFault,
  workload: GuestJob,
): Promise<LinuxIncident> {
  const before = linux.recoveries.length;
  const requestedNs = linux.nowNs;
  await linux.shell.fail(fault);
  if (!(await linux.until(() => linux.recoveries.length > before, DETECTED_WITHIN_MS))) {
    throw notRecovered(linux, fault, `nothing was recovered within ${DETECTED_WITHIN_MS / 1000} s`);
  }
  let seen: number;
  let beats: number;
  do {
    seen = linux.recoveries.length;
    ({ beats } = linux);
    await linux.wait(SETTLED_AFTER_MS);
  } while (linux.recoveries.length > seen);
  const beatsAfter = linux.beats - beats;
  if (beatsAfter === 0) throw notRecovered(linux, fault, 'the heartbeat did not come back');
  await linux.shell.run('true', ANSWER_WITHIN_MS);
  const recoveries = linux.recoveries.slice(before);
  const detectedNs = recoveries[0]?.trigger.atNs ?? requestedNs;
  return { fault, workload, latencyNs: detectedNs - requestedNs, recoveries, beatsAfter };
}

function notRecovered(linux: ProtectedLinux, fault: GuestFault, why: string): RmkError {
  const said = linux.unexpected.length === 0 ? '' : `; ${linux.unexpected.join('; ')}`;
  return new RmkError('RMK_ERR_STATE', `after ${FAULT_TEXTS[fault]}: ${why}${said}`);
}
