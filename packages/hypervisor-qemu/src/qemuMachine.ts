import { open, type FileHandle } from 'node:fs/promises';
import {
  nanoseconds,
  RmkError,
  token,
  type Capability,
  type Checkpointed,
  type Clock,
  type Duration,
  type EpochPlan,
  type Facts,
  type Nanoseconds,
  type RollbackTarget,
  type RolledBack,
  type Token,
  type VirtualMachine,
} from '@rmk/core';
import { checkPlan, offError, offsetIn, runningError, Sequencer, unknownNameError } from '@rmk/driver';
import type { CheckpointControl, ControlRollback, Cut, CutHandler } from './checkpointControl.js';
import type { ChosenControl, ControlChoice, OpenControl } from './controlTarget.js';
import { Epochs } from './epochs.js';
import { GdbStub } from './gdbStub.js';
import { machineFiles } from './machineFolder.js';
import { pagesOf } from './machineOptions.js';
import type { Moment } from './qemuContext.js';
import { QemuExecution } from './qemuExecution.js';
import type { QemuProcess } from './qemuProcess.js';
import { SerialDevice } from './serialDevice.js';

/** What only this driver has: who takes its checkpoints, and what they cost. */
export interface QemuControl {
  readonly kind: CheckpointControl['kind'] | 'none';
  readonly tracker: CheckpointControl['tracker'] | 'none';
  /** For people: why it is this one. */
  readonly why: string;
  /** The process of QEMU. */
  readonly pid: number;
  /** Where another process of RMK attaches; absent where this QEMU was started by hand. */
  readonly folder: string | undefined;
  /** The last checkpoints, oldest first, rollbacks among them. */
  readonly cuts: readonly Cut[];
  /** The last rollbacks, oldest first, with their steps. */
  readonly rollbacks: readonly ControlRollback[];
  /** See {@link CutHandler}. `RMK_ERR_STATE` where nothing takes checkpoints. */
  onCut(handler: CutHandler | undefined): Promise<void>;
}

export const QEMU_CONTROL = token<QemuControl>('QEMU_CONTROL');

export interface MachineSettings {
  readonly schedulingInterval: Duration;
  /** Absent: nothing takes checkpoints. */
  readonly control?: { readonly open: OpenControl; readonly choice: ControlChoice };
}

const NMI = 'nmi';
/** Kept for statistics. */
const KEPT_CUTS = 10_000;
/** Of a PC: what lies between the legacy video memory and the end of the first MiB. */
const FIRMWARE = { from: 0xc_0000, end: 0x10_0000 };
const ZEROS = new Uint8Array(1 << 20);

/**
 * A VM in a QEMU of its own, behind the port. Operations run one after the other. It is not deterministic: domain time
 * is the host's, and it goes on while handlers of RMK are at work.
 */
export class QemuMachine implements VirtualMachine, QemuControl {
  readonly name: string;
  readonly memoryPages: number;
  readonly signals: readonly string[] = [NMI];
  readonly capabilities: ReadonlySet<Capability> = new Set();
  readonly schedulingIntervalNs: Nanoseconds;
  readonly clock: Clock;
  readonly cuts: Cut[] = [];
  readonly rollbacks: ControlRollback[] = [];

  private readonly execution: QemuExecution;
  private readonly epochs: Epochs;
  private chosen: ChosenControl | undefined;
  private readonly sequencer = new Sequencer();
  /** Guest time that rollbacks have undone. */
  undoneNs: Nanoseconds = 0;
  /** Bytes of each device that rollbacks have struck. */
  private readonly struckBytes = new Map<string, number>();

  private constructor(
    private readonly process: QemuProcess,
    private readonly gdb: GdbStub,
    private readonly ram: FileHandle,
    private readonly devices: ReadonlyMap<string, SerialDevice>,
    private readonly settings: MachineSettings,
  ) {
    const { name, memoryBytes } = process.state;
    this.name = name;
    this.memoryPages = pagesOf(memoryBytes);
    this.schedulingIntervalNs = nanoseconds(settings.schedulingInterval);
    this.epochs = new Epochs(name);
    this.execution = new QemuExecution(process, this.schedulingIntervalNs, async () =>
      this.chosen?.control.pagesWrittenSinceAsked(),
    );
    this.clock = this.execution.clock;
    for (const device of devices.values()) device.start((data) => this.emitOutput(device, data));
  }

  /** Takes a QEMU behind the port. Its VM stands still until {@link run}. Where this fails, the process is left as it is. */
  static async over(process: QemuProcess, settings: MachineSettings): Promise<QemuMachine> {
    const { state } = process;
    const opened: { close(): unknown }[] = [];
    try {
      const ram = await open(state.ram, 'r+');
      opened.push(ram);
      const devices = new Map<string, SerialDevice>();
      for (const [name, path] of Object.entries(state.devices)) {
        const device = await SerialDevice.connect(name, path);
        opened.push(device);
        devices.set(name, device);
      }
      const gdb = await GdbStub.open(state.gdb);
      return new QemuMachine(process, gdb, ram, devices, settings);
    } catch (error) {
      for (const resource of opened) await resource.close();
      throw error;
    }
  }

  get registers(): readonly string[] {
    return this.gdb.names;
  }

  get kind(): QemuControl['kind'] {
    return this.chosen?.control.kind ?? 'none';
  }

  get tracker(): QemuControl['tracker'] {
    return this.chosen?.control.tracker ?? 'none';
  }

  get why(): string {
    return this.chosen?.why ?? 'nothing takes checkpoints: the VM was started without protection';
  }

  get pid(): number {
    return this.process.state.pid;
  }

  get folder(): string | undefined {
    return this.process.folder;
  }

  /** The names that {@link input} takes and `output` tells. */
  get deviceNames(): readonly string[] {
    return [...this.devices.keys()];
  }

  observe<F extends keyof Facts>(fact: F, tell: (what: Facts[F]) => void): Disposable {
    return this.execution.facts.observe(fact, tell);
  }

  /** A real VM cannot stand still for each handler: stopping and starting it costs more than most handlers do. */
  holdWhile(_pending: () => Promise<void> | undefined): void {}

  suspend(): Promise<void> {
    return this.inTurn(() => this.execution.suspend());
  }

  resume(): Promise<void> {
    return this.inTurn(() => this.execution.resume());
  }

  readRegister(name: string): Promise<bigint> {
    return this.inTurn(() => this.execution.inPassingStill(() => this.gdb.read(name)));
  }

  writeRegister(name: string, value: bigint): Promise<void> {
    return this.inTurn(() => this.execution.inPassingStill(() => this.gdb.write(name, value)));
  }

  read(address: number, bytes: number): Promise<Uint8Array> {
    return this.inTurn(async () => {
      this.checkRange(address, bytes);
      const data = new Uint8Array(bytes);
      const { bytesRead } = await this.ram.read(data, 0, bytes, address);
      if (bytesRead === bytes) return data;
      throw new RmkError(
        'RMK_ERR_HYPERVISOR',
        `the RAM file of VM ${JSON.stringify(this.name)} was cut short`,
      );
    });
  }

  write(address: number, data: Uint8Array): Promise<void> {
    const own = data.slice();
    return this.inTurn(async () => {
      this.checkRange(address, own.length);
      if (own.length > 0) await this.control.write(address, own);
    });
  }

  raise(cause: string): Promise<void> {
    return this.inTurn(async () => {
      if (!this.signals.includes(cause)) throw unknownNameError(this.name, 'signal', cause, this.signals);
      if (this.execution.isHalted) throw offError(this.name);
      await this.process.qmp.execute('inject-nmi');
    });
  }

  input(device: string, data: Uint8Array): Promise<void> {
    const own = data.slice();
    return this.inTurn(() => {
      const to = this.devices.get(device);
      if (to === undefined) throw unknownNameError(this.name, 'device', device, this.deviceNames);
      return to.input(own);
    });
  }

  checkpoint(plan: EpochPlan): Promise<Checkpointed> {
    return this.inTurn(async () => {
      checkPlan(plan, this.memoryPages);
      const { control } = this;
      const cut = await this.execution.quietly(() => control.checkpoint());
      keep(this.cuts, cut);
      const atNs = this.execution.clock.at(cut.atMonotonicNs);
      return this.epochs.checkpointed(control, cut, atNs, this.moment());
    });
  }

  rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
    return this.inTurn(async () => {
      if (!this.execution.suspended) throw runningError(this.name);
      checkPlan(plan, this.memoryPages);
      const { context, logs } = this.epochs.path(to);
      const { control } = this;
      const done = await this.execution.quietly(async () => {
        await this.execution.makeRunnable();
        return control.rollback(
          context.handle,
          logs.map(({ handle }) => handle),
        );
      });
      keep(this.cuts, done);
      keep(this.rollbacks, done);
      const undoneNs = this.guestNs - context.moment.guestNs;
      this.undoneNs += undoneNs;
      const outputStruckBytes = this.strike(context.moment);
      this.execution.turnedBack('checkpoint');
      const opened = this.epochs.reopened(control, done, this.clock.now(), context, this.moment());
      return { ...opened, pagesRestored: done.pagesRestored, undoneNs, outputStruckBytes };
    });
  }

  restart(): Promise<void> {
    return this.inTurn(async () => {
      const { suspended } = this.execution;
      await this.execution.suspend();
      this.epochs.void('is of a life before a restart', true);
      await this.clearRam();
      await this.chosen?.control.memoryReplaced();
      await this.execution.reset();
      this.execution.turnedBack('boot');
      if (!suspended) await this.execution.resume();
    });
  }

  /** Ends QEMU, and removes all that was kept for it. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    await this.letGo();
    await this.process.end();
  }

  /** Ends the protection; the guest runs on, and RMK can attach to it again. */
  async detach(): Promise<void> {
    if (this.isClosed) return;
    await this.letGo();
    this.process.leave();
  }

  get isClosed(): boolean {
    return this.execution.closed;
  }

  /** Everything but QEMU itself is given up. */
  async letGo(): Promise<void> {
    await this.sequencer.idle();
    this.execution.close();
    this.epochs.void('is of a VM that has been closed', false);
    await this.chosen?.control.close().catch(() => {});
    for (const device of this.devices.values()) device.close();
    await this.ram.close();
  }

  async onCut(handler: CutHandler | undefined): Promise<void> {
    await this.inTurn(() => this.control.onCut(handler));
  }

  extension<T>(of: Token<T>): T | undefined;
  extension(of: symbol): unknown {
    return of === QEMU_CONTROL ? this : undefined;
  }

  /** Lets the VM run, unless its guest has brought it to a halt. */
  async run(): Promise<void> {
    await this.execution.adopt();
    await this.execution.watch();
    await this.execution.resume();
  }

  /** Chooses what takes its checkpoints, and tests it on the VM as it is now: best when it has booted. */
  async protect(): Promise<void> {
    const { process, execution } = this;
    const { control } = this.settings;
    if (control === undefined) return;
    const { state, folder = '/dev/shm' } = process;
    const opened = control.open(
      {
        qmp: process.qmp,
        pid: state.pid,
        folder,
        ramFile: state.ram,
        memoryBytes: state.memoryBytes,
        ...(state.library === undefined ? {} : { librarySocket: state.library }),
        ...(process.folder === undefined ? {} : { spareQmpSocket: machineFiles(process.folder).spareQmp }),
        writeMemory: (address, data) => execution.inPassingStill(() => this.gdb.writeMemory(address, data)),
        stderrTail: process.stderrTail,
      },
      control.choice,
      { lost: (reason) => this.loseLogs(reason), closed: (reason) => this.loseLogs(reason) },
    );
    // The self-test stops the VM and starts it again.
    this.chosen = await execution.quietly(() => opened);
  }

  private get control(): CheckpointControl {
    if (this.chosen !== undefined) return this.chosen.control;
    throw new RmkError('RMK_ERR_STATE', `VM ${JSON.stringify(this.name)}: ${this.why}`);
  }

  private get guestNs(): Nanoseconds {
    return this.clock.now() - this.undoneNs;
  }

  private inTurn<T>(operation: () => Promise<T>): Promise<T> {
    return this.sequencer.run(() => {
      this.execution.checkUsable();
      return operation();
    });
  }

  /**
   * But for where the firmware has copied itself and the option ROMs: this chipset goes on showing the copies after a
   * reset, and the firmware renews them from its ROM.
   */
  private async clearRam(): Promise<void> {
    const { memoryBytes } = this.process.state;
    await this.clear(0, FIRMWARE.from);
    await this.clear(FIRMWARE.end, memoryBytes);
  }

  private async clear(from: number, end: number): Promise<void> {
    for (let at = from; at < end; at += ZEROS.length) {
      await this.ram.write(ZEROS, 0, Math.min(ZEROS.length, end - at), at);
    }
  }

  private committedBytes({ name, receivedBytes }: SerialDevice): number {
    return receivedBytes - (this.struckBytes.get(name) ?? 0);
  }

  private moment(): Moment {
    const positions = [...this.devices.values()].map(
      (device) => [device.name, this.committedBytes(device)] as const,
    );
    return { guestNs: this.guestNs, positions: new Map(positions) };
  }

  /** Takes back what the devices have put out since. */
  private strike({ positions }: Moment): number {
    let all = 0;
    for (const device of this.devices.values()) {
      const bytes = this.committedBytes(device) - (positions.get(device.name) ?? 0);
      this.struckBytes.set(device.name, (this.struckBytes.get(device.name) ?? 0) + bytes);
      all += bytes;
    }
    return all;
  }

  private emitOutput(device: SerialDevice, data: Uint8Array): void {
    if (this.execution.closed) return;
    if (device.name === this.process.state.heartbeat) this.execution.heartbeat();
    if (!this.execution.facts.isObserved('output')) return;
    this.execution.facts.emit('output', {
      atNs: this.clock.now(),
      device: device.name,
      data,
      position: this.committedBytes(device) - data.length,
      guestNs: this.guestNs,
      epoch: this.epochs.epoch,
    });
  }

  private loseLogs(reason: string): void {
    if (this.execution.closed) return;
    this.epochs.void(`was lost: ${reason}`, false);
    this.execution.facts.emit('loglost', { atNs: this.clock.now(), reason });
  }

  private checkRange(address: number, bytes: number): void {
    offsetIn({ begin: 0, bytes: this.process.state.memoryBytes }, address, bytes, this.name);
  }
}

function keep<T>(all: T[], one: T): void {
  all.push(one);
  if (all.length > KEPT_CUTS) all.shift();
}
