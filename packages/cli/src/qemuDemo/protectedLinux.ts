import {
  CHECKPOINTS,
  P_VCPU,
  RmkError,
  type Bus,
  type Domain,
  type Duration,
  type EventName,
  type Nanoseconds,
  type RecoveryRecord,
} from '@rmk/core';
import {
  GuestShell,
  QEMU_CONTROL,
  QemuHypervisor,
  type Cut,
  type JobRound,
  type LinuxGuest,
  type QemuControl,
  type QemuHypervisorOptions,
  type QemuMachine,
} from '@rmk/hypervisor-qemu';
import { createDomain } from '@rmk/kernel';
import { qemuProtection } from '../config/qemuGuest.js';

const SERIAL = 'serial';
const INTERVAL: Duration = '50ms';
const NANOSECONDS = 1e6;

export interface LinuxOptions {
  readonly hypervisor?: QemuHypervisorOptions;
  readonly memoryBytes?: number;
  /** Told of each round that a job of the guest has done. */
  readonly onJob?: (round: JobRound) => void;
}

/** What RMK itself must not run into while it protects a guest. */
const UNEXPECTED_EVENTS = [
  'EVT_PLUGINFAULT',
  'EVT_PLUGINQUARANTINED',
  'EVT_CHECKPOINTLOST',
  'EVT_PROTECTIONLOST',
  'EVT_RECOVERYFAILED',
  'EVT_VMRESTARTED',
  'EVT_VMGONE',
] as const satisfies readonly EventName[];

/** How a rollback that was asked for went, without any error. */
export interface MeasuredRollback {
  /** What taking the VM back took, from the order to its being ready to run. */
  readonly rollbackNs: number;
  /** The same with suspending and resuming it. */
  readonly totalNs: number;
  readonly pagesRestored: number;
}

/** The demo guest, booted in QEMU and protected. */
export class ProtectedLinux {
  readonly recoveries: RecoveryRecord[] = [];
  /** Of RMK itself: what happened of which nothing should. */
  readonly mishaps: string[] = [];
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

  /** Boots the guest and protects it. Throws what the hypervisor does. */
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
      await linux.protect();
      return linux;
    } catch (error) {
      await hypervisor.close();
      throw error;
    }
  }

  /** Who takes its checkpoints, and what they cost. */
  get control(): QemuControl {
    const control = this.machine.extension(QEMU_CONTROL);
    if (control !== undefined) return control;
    throw new RmkError('RMK_ERR_STATE', 'this machine is none of the QEMU driver');
  }

  get nowNs(): Nanoseconds {
    return this.machine.clock.now();
  }

  get retained(): number {
    return this.protection.get(CHECKPOINTS).retain;
  }

  /** Checkpoints taken, oldest first, as many as the driver keeps; those that rollbacks left are not among them. */
  get checkpoints(): readonly Cut[] {
    const { cuts, rollbacks } = this.control;
    const left = new Set<Cut>(rollbacks);
    return cuts.filter((cut) => !left.has(cut));
  }

  get bus(): Bus {
    return this.protection.bus;
  }

  /** Goes back to the checkpoint before the newest, as a recovery does, and lets the guest run on. */
  async rollBack(): Promise<MeasuredRollback> {
    for (;;) {
      try {
        return await this.rollBackOnce();
      } catch (error) {
        // A recovery came in between: what was chosen is undone.
        if (!(error instanceof RmkError) || error.code !== 'RMK_ERR_UNPROTECTED') throw error;
        await this.protection.get(P_VCPU).resume();
        await this.wait(SETTLED_MS);
      }
    }
  }

  /** Host time goes by. */
  async wait(milliseconds: number): Promise<void> {
    await new Promise((resolve) => void setTimeout(resolve, milliseconds));
  }

  /** Whether `condition` comes true in time. */
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
    await vcpu.suspend();
    const to = checkpoints.retained[1] ?? checkpoints.retained[0];
    if (to === undefined) throw new RmkError('RMK_ERR_UNPROTECTED', 'no checkpoint has been taken yet');
    const { pagesRestored } = await checkpoints.rollback(to);
    await vcpu.resume();
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

  private async protect(): Promise<void> {
    this.domain = await createDomain({
      name: this.machine.name,
      machine: this.machine,
      plugins: qemuProtection({ interval: INTERVAL }, this.guest.heartbeatPort),
      observe: (bus) => {
        bus.on('EVT_RECOVERED', ({ record }) => void this.recoveries.push(record));
        for (const name of UNEXPECTED_EVENTS) {
          bus.on(name, ({ atNs, source, ...about }) => {
            const detail = 'reason' in about ? `: ${about.reason}` : '';
            this.mishaps.push(`${name} of ${source} at ${(atNs / 1e6).toFixed(1)} ms${detail}`);
          });
        }
      },
    });
    // Nothing can be rolled back to before the first checkpoint.
    await this.domain.get(CHECKPOINTS).take();
  }
}

const LINE_FEED = 0x0a;
const POLL_MS = 5;
const SETTLED_MS = 200;
