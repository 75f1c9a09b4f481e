import type { RecoveryRecord } from '@rmk/core';
import { heartbeatDetector } from '@rmk/heartbeat-detector';
import type { GuestJob, LinuxGuest } from '@rmk/hypervisor-qemu';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { expect, onTestFinished } from 'vitest';
import { healthBefore, healthChecks, type Healthy } from '../../packages/cli/src/qemuDemo/health.js';
import { ProtectedLinux } from '../../packages/cli/src/qemuDemo/protectedLinux.js';
import { MORTAL_QEMU } from '../../packages/hypervisor-qemu/test/qemuPresent.js';
import { temporaryFolder } from '../../packages/hypervisor-qemu/test/temporaryFolder.js';

const SOON = { timeout: 30_000, interval: 20 };
/** Half a second's worth, when the host has the time: long enough for an error that comes back to be detected again. */
const SOME_BEATS = 25;
const ENDLESS = 1000;
const ONE_SECOND_JOB = { secondJobs: ['openssl'], heartbeatMs: 1000 } as const;

/** Linux in QEMU, protected, with a job under way: what a test does to it and expects of it. */
export class LinuxUnderTest {
  private constructor(
    readonly linux: ProtectedLinux,
    private readonly job: GuestJob,
    private readonly healthy: Healthy,
  ) {}

  /** Boots the guest, starts `job`, and waits until the ring of checkpoints is full. */
  static async start(guest: LinuxGuest, job: GuestJob): Promise<LinuxUnderTest> {
    const linux = await ProtectedLinux.start(guest, {
      hypervisor: { qemu: MORTAL_QEMU, folder: await temporaryFolder('/dev/shm') },
      plugins: [
        // Both are long because tests share their host with others: there the output of an oops alone takes 200 ms.
        ...microcheckpoint({ hang: { signs: ['page-written'], threshold: '1s' } }),
        heartbeatDetector({ device: guest.heartbeatPort, silence: '2s' }),
      ],
    });
    onTestFinished(() => linux.close());
    const healthy = await healthBefore(linux);
    await linux.shell.startJob(job, ENDLESS);
    const underTest = new LinuxUnderTest(linux, job, healthy);
    await underTest.beats();
    return underTest;
  }

  /** Resolves after some heartbeats. */
  async beats(): Promise<void> {
    const until = this.linux.beats + SOME_BEATS;
    await expect.poll(() => this.linux.beats, SOON).toBeGreaterThan(until);
  }

  /** The first recovery, once no more follow: a checkpoint just before the fault can bring its cause back. */
  async recovered(): Promise<RecoveryRecord> {
    const { recoveries, unexpected } = this.linux;
    await expect.poll(() => recoveries.length, SOON).toBeGreaterThan(0);
    let seen: number;
    do {
      seen = recoveries.length;
      await this.beats();
    } while (recoveries.length > seen);
    expect(unexpected).toEqual([]);
    const [record] = recoveries;
    if (record === undefined) throw new Error('nothing was recovered');
    return record;
  }

  /** Every round of work gave the known answer, another job does too, and the kernel noticed nothing. */
  async expectHealthy(): Promise<void> {
    const checks = await healthChecks(this.linux, [this.job], this.healthy, ONE_SECOND_JOB);
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  }
}
