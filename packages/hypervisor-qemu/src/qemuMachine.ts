import {
  nanoseconds,
  Sequencer,
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
import { checkPlan, offError, runningError, unknownNameError } from '@rmk/driver';
import { CommittedOutput } from './checkpoint/committedOutput.js';
import { Epochs } from './checkpoint/epochs.js';
import type { SavedPosition } from './checkpoint/qemuContext.js';
import type { CheckpointCost, RollbackCost } from './control/checkpointCosts.js';
import type { PauseHandler } from './control/checkpointControl.js';
import {
  ChosenProtection,
  QEMU_CONTROL,
  type ProtectionSettings,
  type QemuControl,
} from './control/chosenProtection.js';
import type { ControlTarget } from './control/controlTarget.js';
import { GdbStub } from './gdb/gdbStub.js';
import { pagesOf } from './machineOptions.js';
import { machineFiles } from './process/machineFolder.js';
import type { QemuProcess } from './process/qemuProcess.js';
import { QemuExecution } from './run/qemuExecution.js';
import { MemoryMap } from './run/memoryMap.js';
import { RamFile } from './run/ramFile.js';
import { SerialDevice } from './run/serialDevice.js';

export interface MachineSettings {
  readonly schedulingInterval: Duration;
  /** Undefined: the VM runs unprotected. */
  readonly protection?: ProtectionSettings;
}

/** What `raise` does, as commands of QEMU. */
const SIGNALS: ReadonlyMap<string, string> = new Map([
  ['nmi', 'inject-nmi'],
  // Wakes a guest that suspended itself to RAM, as its power button would.
  ['wakeup', 'system_wakeup'],
]);

/**
 * A VM in a QEMU of its own, behind the port. Operations run one after the other. It is not deterministic: domain time
 * is the host's, and it goes on while RMK's handlers work.
 */
export class QemuMachine implements VirtualMachine, QemuControl, AsyncDisposable {
  readonly name: string;
  readonly memoryPages: number;
  readonly signals: readonly string[] = [...SIGNALS.keys()];
  readonly capabilities: ReadonlySet<Capability> = new Set();
  readonly schedulingIntervalNs: Nanoseconds;
  readonly clock: Clock;

  private readonly execution: QemuExecution;
  private readonly epochs: Epochs;
  private readonly protection: ChosenProtection;
  private readonly output: CommittedOutput;
  private readonly sequencer = new Sequencer();
  private undone: Nanoseconds = 0;

  private constructor(
    private readonly process: QemuProcess,
    private readonly gdb: GdbStub,
    private readonly ram: RamFile,
    private readonly map: MemoryMap,
    private readonly devices: ReadonlyMap<string, SerialDevice>,
    settings: MachineSettings,
  ) {
    const { name, memoryBytes } = process.state;
    this.name = name;
    this.memoryPages = pagesOf(memoryBytes);
    this.schedulingIntervalNs = nanoseconds(settings.schedulingInterval);
    this.epochs = new Epochs(name);
    this.protection = new ChosenProtection(name, settings.protection);
    this.output = new CommittedOutput([...devices.values()]);
    this.execution = new QemuExecution(process, this.schedulingIntervalNs, async () =>
      this.protection.current?.newlyWrittenPages(),
    );
    this.clock = this.execution.clock;
    for (const device of devices.values()) device.start((data) => this.emitOutput(device, data));
  }

  /** Puts a QEMU behind the port. Its VM stays paused until {@link run}. On failure the process is left as it is. */
  static async over(process: QemuProcess, settings: MachineSettings): Promise<QemuMachine> {
    const { state } = process;
    const opened: { close(): unknown }[] = [];
    try {
      const map = await MemoryMap.query(state.name, process.qmp, state.memoryBytes);
      const ram = await RamFile.open(state.name, state.ram, map, state.memoryBytes);
      opened.push(ram);
      const devices = new Map<string, SerialDevice>();
      for (const [name, path] of Object.entries(state.devices)) {
        const device = await SerialDevice.connect(name, path);
        opened.push(device);
        devices.set(name, device);
      }
      const gdb = await GdbStub.open(state.gdb);
      return new QemuMachine(process, gdb, ram, map, devices, settings);
    } catch (error) {
      for (const resource of opened) await resource.close();
      throw error;
    }
  }

  get registers(): readonly string[] {
    return this.gdb.names;
  }

  get kind(): QemuControl['kind'] {
    return this.protection.kind;
  }

  get tracker(): QemuControl['tracker'] {
    return this.protection.tracker;
  }

  get why(): string {
    return this.protection.why;
  }

  get pid(): number {
    return this.process.state.pid;
  }

  get folder(): string | undefined {
    return this.process.folder;
  }

  get checkpoints(): readonly CheckpointCost[] {
    return this.protection.costs.checkpoints;
  }

  get rollbacks(): readonly RollbackCost[] {
    return this.protection.costs.rollbacks;
  }

  /** The names that {@link input} accepts and `output` facts carry. */
  get deviceNames(): readonly string[] {
    return [...this.devices.keys()];
  }

  /** Bytes that a device has put out in all, without what rollbacks and restarts struck. */
  committedBytes(device: string): number {
    const of = this.devices.get(device);
    if (of === undefined) throw unknownNameError(this.name, 'device', device, this.deviceNames);
    return this.output.position(of);
  }

  /** Guest time that rollbacks and restarts have undone. */
  get undoneNs(): Nanoseconds {
    return this.undone;
  }

  get isClosed(): boolean {
    return this.execution.closed;
  }

  observe<F extends keyof Facts>(fact: F, listener: (what: Facts[F]) => void): Disposable {
    return this.execution.observe(fact, listener);
  }

  /**
   * The VM runs on: pausing it for each handler costs more than most handlers do. A standing failure waits for them.
   */
  holdWhile(pending: () => Promise<void> | undefined): void {
    this.execution.reportAfter(pending);
  }

  suspend(): Promise<void> {
    return this.inTurn(() => this.execution.suspend());
  }

  resume(): Promise<void> {
    return this.inTurn(() => this.execution.resume());
  }

  readRegister(name: string): Promise<bigint> {
    return this.inTurn(() => this.execution.whilePaused(() => this.gdb.read(name)));
  }

  writeRegister(name: string, value: bigint): Promise<void> {
    return this.inTurn(() => this.execution.whilePaused(() => this.gdb.write(name, value)));
  }

  read(address: number, bytes: number): Promise<Uint8Array> {
    return this.inTurn(() => this.ram.read(address, bytes));
  }

  write(address: number, data: Uint8Array): Promise<void> {
    const own = data.slice();
    return this.inTurn(async () => {
      this.map.offsetOf(address, own.length);
      if (own.length > 0) await this.protection.control.write(address, own);
    });
  }

  raise(cause: string): Promise<void> {
    return this.inTurn(async () => {
      const command = SIGNALS.get(cause);
      if (command === undefined) throw unknownNameError(this.name, 'signal', cause, this.signals);
      if (this.execution.isHalted) throw offError(this.name);
      await this.process.qmp.execute(command);
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
      const { control, costs } = this.protection;
      const taken = await this.execution.expectingStops(() => control.checkpoint());
      costs.addCheckpoint(taken);
      const atNs = this.execution.clock.at(taken.atMonotonicNs);
      return this.epochs.checkpointed(control, taken, atNs, this.position());
    });
  }

  rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
    return this.inTurn(async () => {
      if (!this.execution.suspended) throw runningError(this.name);
      checkPlan(plan, this.memoryPages);
      const { context, logs } = this.epochs.path(to);
      const { control, costs } = this.protection;
      const handles = logs.map(({ handle }) => handle);
      const done = await this.execution.expectingStops(() => control.rollback(context.handle, handles));
      costs.addRollback(done);
      const undoneNs = this.guestNs - context.position.guestNs;
      this.undone += undoneNs;
      const outputStruckBytes = this.output.strikeSince(context.position.output);
      this.execution.stateReplaced('checkpoint');
      const opened = this.epochs.reopened(control, done, this.clock.now(), context, this.position());
      return { ...opened, pagesRestored: done.pagesRestored, undoneNs, outputStruckBytes };
    });
  }

  restart(): Promise<void> {
    return this.inTurn(async () => {
      const { suspended } = this.execution;
      await this.execution.suspend();
      this.epochs.drop('predates a restart', true);
      await this.ram.clear();
      await this.protection.current?.memoryReplaced();
      await this.execution.reset();
      // The guest's own time begins at 0 again, and nothing that the discarded boot put out counts.
      this.undone = this.clock.now();
      this.output.strikeAll();
      this.execution.stateReplaced('boot');
      if (!suspended) await this.execution.resume();
    });
  }

  /** Ends QEMU, and removes the files of the VM. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    await this.release();
    await this.process.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Ends the protection; the guest runs on, and RMK can attach to it again. */
  async detach(): Promise<void> {
    if (this.isClosed) return;
    await this.release();
    await this.process.leave();
  }

  /** Releases everything but QEMU itself. */
  async release(): Promise<void> {
    await this.sequencer.idle();
    this.execution.close();
    this.epochs.drop('belongs to a VM that has been closed', false);
    await this.protection.close();
    for (const device of this.devices.values()) device.close();
    await this.ram.close();
  }

  async onPause(handler: PauseHandler | undefined): Promise<void> {
    await this.inTurn(() => this.protection.control.onPause(handler));
  }

  extension<T>(of: Token<T>): T | undefined;
  extension(of: symbol): unknown {
    return of === QEMU_CONTROL ? this : undefined;
  }

  /** Resumes the VM, unless its guest has halted it. */
  async run(): Promise<void> {
    await this.execution.adopt();
    await this.execution.watch();
    await this.execution.resume();
  }

  /** Chooses what takes the checkpoints, and tests it on the VM as it is now: best when it has booted. */
  async protect(): Promise<void> {
    const events = {
      lost: (reason: string) => this.loseCheckpoints(reason),
      closed: (reason: string) => this.loseCheckpoints(reason),
    };
    // The self-test pauses and resumes the VM.
    await this.execution.expectingStops(() => this.protection.open(this.controlTarget(), events));
  }

  private controlTarget(): ControlTarget {
    const { qmp, state, folder, stderrTail } = this.process;
    return {
      qmp,
      pid: state.pid,
      folder: folder ?? '/dev/shm',
      ramFile: state.ram,
      memoryBytes: state.memoryBytes,
      offsetOf: (address) => this.map.offsetOf(address, 0),
      ...(state.library === undefined ? {} : { librarySocket: state.library }),
      ...(folder === undefined ? {} : { spareQmpSocket: machineFiles(folder).spareQmp }),
      writeMemory: (address, data) => this.execution.whilePaused(() => this.gdb.writeMemory(address, data)),
      stderrTail,
    };
  }

  private get guestNs(): Nanoseconds {
    return this.clock.now() - this.undone;
  }

  private inTurn<T>(operation: () => Promise<T>): Promise<T> {
    return this.sequencer.run(() => {
      this.execution.checkUsable();
      return operation();
    });
  }

  private position(): SavedPosition {
    return { guestNs: this.guestNs, output: this.output.positions() };
  }

  private emitOutput(device: SerialDevice, data: Uint8Array): void {
    if (this.execution.closed) return;
    if (device.name === this.process.state.heartbeat) this.execution.heartbeat();
    if (!this.execution.facts.isObserved('output')) return;
    this.execution.facts.emit('output', {
      atNs: this.clock.now(),
      device: device.name,
      data,
      position: this.output.position(device) - data.length,
      guestNs: this.guestNs,
      epoch: this.epochs.epoch,
    });
  }

  private loseCheckpoints(reason: string): void {
    if (this.execution.closed) return;
    this.epochs.drop(`was lost: ${reason}`, false);
    this.execution.facts.emit('loglost', { atNs: this.clock.now(), reason });
  }
}
