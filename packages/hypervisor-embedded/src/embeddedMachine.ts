import {
  nanoseconds,
  RmkError,
  token,
  type Capability,
  type Checkpointed,
  type Clock,
  type Context,
  type EpochPlan,
  type Facts,
  type Nanoseconds,
  type PageLog,
  type RollbackTarget,
  type RolledBack,
  type Token,
  type VirtualMachine,
} from '@rmk/core';
import {
  closedError,
  damagedContextError,
  foreignContextError,
  foreignLogError,
  offError,
  offsetIn,
  runningError,
  unknownNameError,
} from '@rmk/driver';
import { Board, type Digest } from './board.js';
import type { HistoryLimits } from './debug/history.js';
import { SteppedHart } from './debug/steppedHart.js';
import { TimeTravel } from './debug/timeTravel.js';
import { bootPlan, identityOf, type BootPlan } from './bootPlan.js';
import type { ElfImage } from './elf/elf.js';
import { EmbeddedContext } from './memory/embeddedContext.js';
import { EmbeddedPageLog } from './memory/embeddedPageLog.js';
import { EXCEPTION_NAMES, exceptionNamed } from './hart/exceptionNames.js';
import { HardwareFaults } from './hardware/hardwareFaults.js';
import { Execution, UART, type QuantumEnd } from './execution.js';
import { checkBit } from './memory/checksum.js';
import { GuestMemory } from './memory/guestMemory.js';
import { readRegister, REGISTER_NAMES, writeRegister } from './hart/registers.js';
import { InputLog } from './devices/inputLog.js';
import type { LogChain } from './memory/logArea.js';
import { checkMachineOptions, type MachineOptions, type Timing } from './machineOptions.js';
import {
  contextDifference,
  foreignSnapshotError,
  MachineSnapshot,
  protectedMachineError,
  type StateDifference,
} from './snapshot/machineSnapshot.js';
import { copyPages, differingFrames } from './snapshot/memoryPages.js';
import { Stepping, type FirstUse } from './snapshot/stepping.js';
import { Transcript } from './devices/transcript.js';

function uncheckedStoresError(name: string): RmkError {
  return new RmkError(
    'RMK_ERR_STATE',
    `VM ${JSON.stringify(name)} does not see the stores of its guest. Create it without storeCheck: false to take checkpoints of it`,
  );
}

function unsoundHardwareError(name: string): RmkError {
  return new RmkError(
    'RMK_ERR_STATE',
    `VM ${JSON.stringify(name)} has a stuck bit, or is not on core 0. Dispose of its stuck bits and move it to core 0 before it travels in time`,
  );
}

/** The embedded driver's own face, for whoever wraps what no other driver has. */
export const EMBEDDED_MACHINE = token<EmbeddedMachine>('EMBEDDED_MACHINE');

const CAPABILITIES: readonly Capability[] = ['pagefault-facts', 'instruction-count', 'deterministic'];

/**
 * One VM of the embedded hypervisor, behind the port. Operations take effect at once, between two runs of the
 * processor; the promises that they give are settled already.
 */
export class EmbeddedMachine implements VirtualMachine {
  readonly name: string;
  readonly memoryPages: number;
  readonly registers: readonly string[] = REGISTER_NAMES;
  readonly signals: readonly string[] = EXCEPTION_NAMES;
  readonly capabilities: ReadonlySet<Capability> = new Set(CAPABILITIES);
  readonly schedulingIntervalNs: Nanoseconds;
  readonly clock: Clock;
  readonly image: ElfImage;
  /** Stuck bits and lost interrupts, for fault injection. */
  readonly hardware: HardwareFaults;

  private readonly bootPlan: BootPlan;
  private readonly memory: GuestMemory;
  private readonly transcript: Transcript;
  private readonly inputLog: InputLog;
  private readonly board: Board;
  private readonly execution: Execution;
  private readonly powerOn: Uint8Array;
  private identity: string | undefined;
  private epochOpenedAtNs = 0;
  private epochPauseHostNs = 0;

  /** `RMK_ERR_INPUT` for bad options, `RMK_ERR_ELF` for an ELF that cannot be run. */
  constructor(options: MachineOptions, timing: Timing) {
    const checked = checkMachineOptions(options);
    this.name = checked.name;
    this.memory = new GuestMemory(checked.memoryBytes, checked.logPages, checked.storeCheck);
    this.bootPlan = bootPlan(checked, this.memory);
    this.image = this.bootPlan.image;
    this.memoryPages = this.memory.pages;
    this.transcript = new Transcript(checked.outputBytes);
    this.inputLog = new InputLog(
      checked.input.map(({ at, data }) => ({
        atCycle: Math.ceil(nanoseconds(at) / timing.nsPerCycle),
        data,
      })),
    );
    this.board = new Board(this.memory, this.transcript, this.inputLog, timing.cyclesPerTick, checked.engine);
    const { state, clint } = this.board;
    this.hardware = new HardwareFaults(state, clint, this.memory, (address, bytes) =>
      this.offsetOf(address, bytes),
    );
    this.execution = new Execution(this.board, timing, this.hardware);
    this.clock = this.execution.clock;
    this.schedulingIntervalNs = timing.sliceCycles * timing.nsPerCycle;
    this.board.boot(this.bootPlan);
    this.powerOn = this.board.save();
  }

  observe<F extends keyof Facts>(fact: F, observer: (what: Facts[F]) => void): Disposable {
    return this.execution.facts.observe(fact, observer);
  }

  holdWhile(pending: () => Promise<void> | undefined): void {
    this.execution.holdWhile = pending;
  }

  async suspend(): Promise<void> {
    this.checkOpen();
    this.execution.suspended = true;
  }

  async resume(): Promise<void> {
    this.checkOpen();
    this.execution.suspended = false;
  }

  async readRegister(name: string): Promise<bigint> {
    this.checkOpen();
    return readRegister(this.board.state, name);
  }

  async writeRegister(name: string, value: bigint): Promise<void> {
    this.checkOpen();
    writeRegister(this.board.state, name, value);
  }

  async read(address: number, bytes: number): Promise<Uint8Array> {
    const offset = this.offsetOf(address, bytes);
    return this.memory.u8.slice(offset, offset + bytes);
  }

  async write(address: number, data: Uint8Array): Promise<void> {
    const offset = this.offsetOf(address, data.length);
    this.memory.write(offset, data);
    this.board.state.breakReservation(address, data.length);
    this.execution.emitPageFaults();
  }

  async raise(cause: string): Promise<void> {
    this.checkOpen();
    const exception = exceptionNamed(cause);
    if (exception === undefined) throw unknownNameError(this.name, 'signal', cause, this.signals);
    if (this.board.state.exited) throw offError(this.name);
    this.execution.raise(exception);
  }

  async input(device: string, data: Uint8Array): Promise<void> {
    this.checkOpen();
    if (device !== UART) throw unknownNameError(this.name, 'device', device, [UART]);
    this.inputLog.add(this.board.state.cycles, data);
  }

  async checkpoint(plan: EpochPlan): Promise<Checkpointed> {
    this.checkOpen();
    if (!this.memory.layout.storeCheck) throw uncheckedStoresError(this.name);
    const started = performance.now();
    this.execution.emitPageFaults();
    const openedAtNs = this.epochOpenedAtNs;
    const pauseHostNs = this.epochPauseHostNs;
    const { log, closed } = this.memory.nextEpoch(plan);
    const opened = this.opened(log, started);
    return closed === undefined
      ? opened
      : { ...opened, closed: { openedAtNs, closedAtNs: opened.atNs, pauseHostNs, ...closed } };
  }

  async rollback(to: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
    this.checkOpen();
    if (!this.execution.suspended) throw runningError(this.name);
    const started = performance.now();
    const chains = to.logs.map((log) => this.ownLog(log));
    this.memory.checkChain(chains);
    const context = this.ownContext(to.context, chains);
    if (!context.isIntact()) throw damagedContextError();
    const { log, pagesRestored } = this.memory.rollback(chains, plan);
    const before = this.board.state.cycles;
    const outputStruckBytes = this.board.load(context.saved);
    const undoneNs = before * this.nsPerCycle - this.execution.guestNs;
    this.execution.turnedBackFrom(before);
    return { ...this.opened(log, started), pagesRestored, undoneNs, outputStruckBytes };
  }

  async restart(): Promise<void> {
    this.checkOpen();
    const before = this.board.state.cycles;
    this.memory.reset();
    this.board.load(this.powerOn);
    this.board.boot(this.bootPlan);
    this.execution.turnedBackFrom(before);
  }

  async close(): Promise<void> {
    this.execution.closed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  extension<T>(of: Token<T>): T | undefined;
  extension(of: symbol): unknown {
    return of === EMBEDDED_MACHINE ? this : undefined;
  }

  /** Guest time: what the guest's own clocks are made of. A rollback turns it back. */
  get guestNs(): Nanoseconds {
    return this.execution.guestNs;
  }

  /** Instructions that the guest has retired since boot; a rollback turns this back. */
  get instructions(): number {
    return this.board.state.instructions;
  }

  /** The code with which the guest switched itself off; absent while it is on. */
  get exitCode(): number | undefined {
    return this.board.state.exited ? this.board.state.exitCode : undefined;
  }

  /** Output without the spans that were rolled back. */
  get committedOutput(): Uint8Array {
    return this.transcript.committedBytes();
  }

  /** Every byte that really left. */
  get wireOutput(): Uint8Array {
    return this.transcript.wireBytes();
  }

  /** Takes some 10 to 100 ms of host time. */
  digest(): Digest {
    return this.board.digest();
  }

  /** The guest gives a page back, as a balloon does: it reads as zero and is logged as a page that was deleted. */
  discard(frame: number): void {
    this.checkOpen();
    if (!Number.isInteger(frame) || frame < 0 || frame >= this.memoryPages) {
      throw new RmkError(
        'RMK_ERR_ADDRESS',
        `there is no page frame ${frame}: VM ${JSON.stringify(this.name)} has ${this.memoryPages}, counted from 0`,
      );
    }
    this.memory.discard(frame);
    this.execution.emitPageFaults();
  }

  /**
   * The whole state of the VM. Pages that `previous` holds already are shared with it, so a series of snapshots costs
   * what changed in between.
   */
  snapshot(previous?: MachineSnapshot): MachineSnapshot {
    this.checkOpen();
    const { guestNs, instructions, exitCode } = this;
    return new MachineSnapshot(
      this.guestIdentity,
      copyPages(this.memory, previous?.guest === this.guestIdentity ? previous.pages : []),
      this.board.save(),
      this.transcript.state(),
      this.inputLog.state(),
      { guestNs, instructions, exitCode },
    );
  }

  /**
   * Puts the VM where the snapshot was taken: the guest continues from there, in guest time, while domain time begins
   * at 0. What the VM did before leaves no trace. `RMK_ERR_INPUT` for a snapshot of another guest, `RMK_ERR_STATE`
   * while the VM is protected or a timer is set on its clock.
   */
  load(snapshot: MachineSnapshot): void {
    this.checkOpen();
    if (snapshot.guest !== this.guestIdentity) throw foreignSnapshotError(this.name);
    if (this.memory.isLogged || this.pendingTimers > 0) throw protectedMachineError(this.name);
    this.memory.load(snapshot.pages);
    this.transcript.load(snapshot.transcript);
    this.inputLog.load(snapshot.input);
    this.board.load(snapshot.context);
    this.hardware.clear();
    this.execution.beginHere();
  }

  /** Whether memory and context equal those of the snapshot. Committed output is compared by its length alone. */
  equals(snapshot: MachineSnapshot): boolean {
    if (Buffer.compare(this.board.save(), snapshot.context) !== 0) return false;
    return differingFrames(this.memory, snapshot.pages, 1).length === 0;
  }

  /** Where memory and context differ from those of the snapshot. */
  differenceFrom(snapshot: MachineSnapshot): StateDifference {
    return {
      frames: differingFrames(this.memory, snapshot.pages, Infinity),
      ...contextDifference(this.board.save(), snapshot.context),
    };
  }

  /** Runs the guest until an instruction reads `register` or replaces it, through at most `instructions`. */
  firstUseOf(register: string, instructions: number): FirstUse {
    this.checkOpen();
    if (!REGISTER_NAMES.includes(register))
      throw unknownNameError(this.name, 'register', register, REGISTER_NAMES);
    return this.stepping.firstUseOf(register, instructions);
  }

  /**
   * Runs the guest to where the instruction at `address` is next, through at most `instructions`. False if it does not
   * come there.
   */
  runTo(address: number, instructions: number): boolean {
    this.checkOpen();
    return this.stepping.runTo(address, instructions);
  }

  /**
   * Whether the guest is in a loop or halt that nothing but RMK can end. Runs it through at most `instructions`, so
   * false means that it was not proved.
   */
  loopsForever(instructions = 2048): boolean {
    this.checkOpen();
    return this.stepping.loopsForever(instructions);
  }

  /**
   * Takes the guest to any moment from now on, for a debugger. Nothing else may run this VM then. `RMK_ERR_STATE` while
   * it is protected or a timer is set on its clock, and while a bit of its hardware is stuck or it is not on core 0:
   * faults of the hardware are no part of the guest's state, so the past could not be computed again.
   */
  timeTravel(limits: Partial<HistoryLimits> = {}): TimeTravel {
    this.checkOpen();
    if (!this.hardware.isSound) throw unsoundHardwareError(this.name);
    return new TimeTravel(this, new SteppedHart(this.board), this.nsPerCycle, limits);
  }

  /** Flips a bit (0 to 7) of memory beneath the write protection: no page fault, no page log captures it. */
  flipMemoryBit(address: number, bit: number): void {
    const offset = this.offsetOf(address, 1);
    checkBit(bit, 1);
    this.memory.flipBit(offset, bit);
    this.board.state.breakReservation(address, 1);
  }

  /** Entries of the log area that no page log holds. */
  get freeLogPages(): number {
    return this.memory.area.free;
  }

  get isClosed(): boolean {
    return this.execution.closed;
  }

  get isRunnable(): boolean {
    return this.execution.isRunnable;
  }

  /** Timers set on the clock, for tests of leaks. */
  get pendingTimers(): number {
    return this.execution.clock.pending;
  }

  /** For the scheduler: the promise that holds the VM. Undefined if nothing does. */
  held(): Promise<void> | undefined {
    return this.execution.holdWhile();
  }

  /** For the scheduler: runs a slice of this VM, at most to `untilNs` of domain time. */
  runQuantum(untilNs: Nanoseconds): QuantumEnd {
    return this.execution.runQuantum(Math.ceil(untilNs / this.nsPerCycle));
  }

  private get stepping(): Stepping {
    return new Stepping(this.board, this.execution);
  }

  /** What a snapshot must have been taken of for this VM to continue it. */
  private get guestIdentity(): string {
    return (this.identity ??= identityOf(this.bootPlan, this.memoryPages, this.nsPerCycle));
  }

  private get nsPerCycle(): number {
    return this.execution.clock.nsPerCycle;
  }

  private opened(chain: LogChain, started: number): Checkpointed {
    const context = new EmbeddedContext(this.board.save(), chain);
    const log = new EmbeddedPageLog(this.memory.area, chain);
    this.epochOpenedAtNs = this.clock.now();
    this.epochPauseHostNs = Math.round((performance.now() - started) * 1e6);
    return { atNs: this.epochOpenedAtNs, context, log };
  }

  private offsetOf(address: number, bytes: number): number {
    this.checkOpen();
    const { base: begin, bytes: ramBytes } = this.memory;
    return offsetIn({ begin, bytes: ramBytes }, address, bytes, this.name);
  }

  private checkOpen(): void {
    if (this.execution.closed) throw closedError(this.name);
  }

  private ownLog(log: PageLog): LogChain {
    if (log instanceof EmbeddedPageLog && log.belongsTo(this.memory.area)) return log.chain;
    throw foreignLogError(this.name);
  }

  /** The context must be that of the checkpoint whose log is the oldest. */
  private ownContext(context: Context, chains: readonly LogChain[]): EmbeddedContext {
    if (context instanceof EmbeddedContext && context.log === chains.at(-1)) return context;
    throw foreignContextError();
  }
}
