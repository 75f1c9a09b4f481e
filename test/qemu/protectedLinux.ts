import { CHECKPOINTS, type Domain, type RecoveryRecord } from '@rmk/core';
import { heartbeatDetector } from '@rmk/heartbeat-detector';
import {
  GuestShell,
  QemuHypervisor,
  type GuestJob,
  type JobRound,
  type LinuxGuest,
  type QemuMachine,
} from '@rmk/hypervisor-qemu';
import { createDomain } from '@rmk/kernel';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { expect, onTestFinished } from 'vitest';
import { MORTAL_QEMU } from '../../packages/hypervisor-qemu/test/qemuPresent.js';
import { temporaryFolder } from '../../packages/hypervisor-qemu/test/temporaryFolder.js';

const SERIAL = 'serial';
const SOON = { timeout: 30_000, interval: 20 };
/** Beats come each 20 ms where the host has the time. */
const BEATS_OF_SECONDS = 100;
const SECOND_JOB = 'openssl';
const ROUNDS = 2;

/** Linux in QEMU with all that protects it, and what an undisturbed one would show. */
export class ProtectedLinux {
  readonly recoveries: RecoveryRecord[] = [];
  readonly failed: string[] = [];
  readonly jobs: JobRound[] = [];
  beats = 0;
  readonly shell: GuestShell;

  private constructor(
    readonly machine: QemuMachine,
    readonly guest: LinuxGuest,
  ) {
    this.shell = new GuestShell(
      (data) => machine.input(SERIAL, data),
      (round) => this.jobs.push(round),
    );
    machine.observe('output', ({ device, data }) => {
      if (device === SERIAL) this.shell.received(data);
      else this.beats += data.length;
    });
  }

  static async start(guest: LinuxGuest): Promise<ProtectedLinux> {
    const { kernel, initrd, append, heartbeatPort, readyText } = guest;
    const hypervisor = new QemuHypervisor({ qemu: MORTAL_QEMU, folder: await temporaryFolder('/dev/shm') });
    onTestFinished(() => hypervisor.close());
    const machine = await hypervisor.startMachine({
      name: 'linux',
      kernel,
      initrd,
      append,
      channels: [heartbeatPort],
      heartbeat: heartbeatPort,
      ready: { text: readyText },
    });
    const linux = new ProtectedLinux(machine, guest);
    const domain = await linux.protect();
    onTestFinished(() => domain.stop());
    return linux;
  }

  /** Starts work, lets the ring fill while it is done, and gives what is needed to look for damage later. */
  async work(job: GuestJob): Promise<void> {
    await this.shell.startJob(job, 1000);
    await this.beating();
  }

  /** Until it has beaten for a while. */
  async beating(): Promise<void> {
    const until = this.beats + BEATS_OF_SECONDS;
    await expect.poll(() => this.beats, SOON).toBeGreaterThan(until);
  }

  /** The first recovery, when all is quiet: a checkpoint just before the fault brings the order to fail back with it. */
  async recovered(): Promise<RecoveryRecord> {
    await expect.poll(() => this.recoveries.length, SOON).toBeGreaterThan(0);
    let seen: number;
    do {
      seen = this.recoveries.length;
      await this.beating();
    } while (this.recoveries.length > seen);
    expect(this.failed).toEqual([]);
    const [record] = this.recoveries;
    if (record === undefined) throw new Error('there is no record');
    return record;
  }

  /** Every round of work that it tells of gave the known answer, another job does, and its kernel noticed nothing. */
  async expectWell(job: GuestJob): Promise<void> {
    await this.shell.run(`job ${SECOND_JOB} ${ROUNDS}`);
    const done = await this.shell.jobsDone();
    const wrong = done.filter((round) => round.answer !== this.guest.answers[round.job]);
    expect(wrong, 'rounds with a wrong answer').toEqual([]);
    expect(done.filter((round) => round.job === SECOND_JOB)).toHaveLength(ROUNDS);
    const rounds = done.filter((round) => round.job === job).map(({ round }) => round);
    expect(rounds).toEqual(rounds.map((_, index) => index + 1));
    expect(rounds.length).toBeGreaterThan(0);
    const { output } = await this.shell.run("dmesg | grep -E 'Oops|BUG|Call Trace|lockup|panic:'");
    // What else stands on the line is the shell's.
    const alarms = output.split('\n').filter((line) => line.startsWith('['));
    expect(alarms, "in the kernel's log").toEqual([]);
    await this.beating();
  }

  private async protect(): Promise<Domain> {
    const domain = await createDomain({
      name: 'linux',
      machine: this.machine,
      plugins: [
        // Both are long since tests share their host with others: an oops alone is printed for some 200 ms then.
        ...microcheckpoint({ hang: { signs: ['page-written'], threshold: '1s' } }),
        heartbeatDetector({ device: this.guest.heartbeatPort, silence: '2s' }),
      ],
      observe: (bus) => {
        bus.on('EVT_RECOVERED', ({ record }) => void this.recoveries.push(record));
        bus.on('EVT_RECOVERYFAILED', ({ reason }) => void this.failed.push(reason));
        bus.on(
          'EVT_PLUGINFAULT',
          ({ plugin, error }) => void this.failed.push(`${plugin}: ${String(error)}`),
        );
        bus.on('EVT_PROTECTIONLOST', ({ reason }) => void this.failed.push(`protection lost: ${reason}`));
        bus.on('EVT_VMGONE', ({ reason }) => void this.failed.push(reason));
      },
    });
    const checkpoints = domain.get(CHECKPOINTS);
    const protection = (): object => ({ retained: checkpoints.retained.length, failed: this.failed });
    await expect.poll(protection, SOON).toEqual({ retained: checkpoints.retain, failed: [] });
    return domain;
  }
}
