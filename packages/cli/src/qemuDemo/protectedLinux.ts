import {
  CHECKPOINTS,
  hasCode,
  P_VCPU,
  RmkError,
  type Bus,
  type Domain,
  type Duration,
  type Nanoseconds,
  type Plugin,
  type RecoveryRecord,
} from '@rmk/core';
import {
  GuestShell,
  QemuHypervisor,
  type CheckpointCost,
  type JobRound,
  type LinuxGuest,
  type QemuControl,
  type QemuHypervisorOptions,
  type QemuMachine,
} from '@rmk/hypervisor-qemu';
import { createDomain } from '@rmk/kernel';
import { qemuProtection } from '../config/qemuGuest.js';
import { qemuControlOf } from '../qemuControl.js';
import { observeUnexpected } from '../unexpectedEvents.js';

const SERIAL = 'serial';
const INTERVAL: Duration = '50ms';
const NANOSECONDS = 1e6;

export interface LinuxOptions {
  readonly hypervisor?: QemuHypervisorOptions;
  readonly memoryBytes?: number;
  /** Default: those that `rmk run` gives a QEMU guest, with a checkpoint every 50 ms. */
  readonly plugins?: readonly Plugin[];
  /** Called for each round that a job of the guest has done. */
  readonly onJob?: (round: JobRound) => void;
}

/** Duration of a rollback that no error caused. */
export interface MeasuredRollback {
  /** From the request until the VM is ready to run. */
  readonly rollbackNs: number;
  /** Including suspending and resuming the VM. */
  readonly totalNs: number;
  readonly pagesRestored: number;
}

/** The demo guest, booted in QEMU and protected. */
export class ProtectedLinux {
  readonly recoveries: RecoveryRecord[] = [];
  /** One line for each fault, loss or warning of RMK itself. */
  readonly unexpected: string[] = [];
  readonly shell: GuestShell;
  beats = 0;
  private domain: Domain | undefined;

  private constructor(
    private readonly hypervisor: QemuHypervisor,
    readonly machine: QemuMachine,
    readonly guest: LinuxGuest,
    onJob: LinuxOptions['onJob'],
  ) {
    this.shell = new GuestShell((data) => machine.input(SERIAL, data), onJob);
    machine.observe('output', ({ device, data }) => {
      if (device === SERIAL) this.shell.received(data);
      else if (device === guest.heartbeatPort) this.beats += data.filter((byte) => byte === LINE_FEED).length;
    });
  }

  /** Boots the guest and protects it. Throws what the hypervisor throws. */
  static async start(guest: LinuxGuest, options: LinuxOptions = {}): Promise<ProtectedLinux> {
    const { kernel, initrd, append, heartbeatPort, readyText } = guest;
    const hypervisor = new QemuHypervisor(options.hypervisor);
    try {
      const machine = await hypervisor.startMachine({
        name: 'linux',
        kernel,
        initrd,
        append,
        channels: [heartbeatPort],
        heartbeat: heartbeatPort,
        ready: { device: SERIAL, text: readyText },
        ...(options.memoryBytes === undefined ? {} : { memoryBytes: options.memoryBytes }),
      });
      const linux = new ProtectedLinux(hypervisor, machine, guest, options.onJob);
      await linux.protect(options.plugins ?? qemuProtection({ interval: INTERVAL }, heartbeatPort));
      return linux;
    } catch (error) {
      await hypervisor.close();
      throw error;
    }
  }

  /** What takes the checkpoints, and what they cost. */
  get control(): QemuControl {
    return qemuControlOf(this.machine);
  }

  get nowNs(): Nanoseconds {
    return this.machine.clock.now();
  }

  get retained(): number {
    return this.protection.get(CHECKPOINTS).retain;
  }

  /** Checkpoints taken, oldest first, as many as the driver keeps. */
  get checkpoints(): readonly CheckpointCost[] {
    return this.control.checkpoints;
  }

  get bus(): Bus {
    return this.protection.bus;
  }

  /** Rolls back to the checkpoint before the newest, as a recovery does, and resumes the guest. */
  async rollBack(): Promise<MeasuredRollback> {
    for (;;) {
      try {
        return await this.rollBackOnce();
      } catch (error) {
        // A recovery came first: the chosen checkpoint no longer exists.
        if (!hasCode(error, 'RMK_ERR_UNPROTECTED')) throw error;
        await this.wait(SETTLED_MS);
      }
    }
  }

  /** Waits for host time. */
  async wait(milliseconds: number): Promise<void> {
    await new Promise((resolve) => void setTimeout(resolve, milliseconds));
  }

  /** Resolves to whether `condition` became true within `withinMs` of host time. */
  async until(condition: () => boolean, withinMs: number): Promise<boolean> {
    const endNs = process.hrtime.bigint() + BigInt(withinMs * NANOSECONDS);
    while (!condition()) {
      if (process.hrtime.bigint() > endNs) return false;
      await this.wait(POLL_MS);
    }
    return true;
  }

  private async rollBackOnce(): Promise<MeasuredRollback> {
    const checkpoints = this.protection.get(CHECKPOINTS);
    const vcpu = this.protection.get(P_VCPU);
    const before = this.control.rollbacks.length;
    const beganNs = process.hrtime.bigint();
    const suspension = await vcpu.suspend();
    let pagesRestored: number;
    try {
      const to = checkpoints.retained[1] ?? checkpoints.retained[0];
      if (to === undefined) throw new RmkError('RMK_ERR_UNPROTECTED', 'no checkpoint has been taken yet');
      ({ pagesRestored } = await checkpoints.rollback(to));
    } finally {
      await vcpu.resume(suspension);
    }
    const totalNs = Number(process.hrtime.bigint() - beganNs);
    const steps = this.control.rollbacks[before]?.steps ?? [];
    return { rollbackNs: steps.reduce((sum, { ns }) => sum + ns, 0), totalNs, pagesRestored };
  }

  async close(): Promise<void> {
    try {
      await this.domain?.stop();
    } finally {
      await this.hypervisor.close();
    }
  }

  private get protection(): Domain {
    if (this.domain !== undefined) return this.domain;
    throw new RmkError('RMK_ERR_STATE', 'the guest is not protected yet');
  }

  private async protect(plugins: readonly Plugin[]): Promise<void> {
    this.domain = await createDomain({
      name: this.machine.name,
      machine: this.machine,
      plugins,
      observe: (bus) => {
        bus.on('EVT_RECOVERED', ({ record }) => void this.recoveries.push(record));
        observeUnexpected(bus, (line) => void this.unexpected.push(line));
      },
    });
    // Before the first checkpoint there is nothing to roll back to.
    await this.domain.get(CHECKPOINTS).take();
  }
}

const LINE_FEED = 0x0a;
const POLL_MS = 5;
const SETTLED_MS = 200;
