import {
  nanoseconds,
  token,
  type Capability,
  type Checkpointed,
  type Context,
  type Duration,
  type EpochPlan,
  type Facts,
  type Nanoseconds,
  type PageLog,
  type Privilege,
  type RollbackTarget,
  type RolledBack,
  type Token,
  type VirtualMachine,
} from '@rmk/core';
import {
  closedError,
  damagedContextError,
  FactEmitter,
  foreignContextError,
  foreignLogError,
  offsetIn,
  runningError,
  unknownNameError,
} from '@rmk/driver';
import { FakeClock } from './fakeClock.js';
import type { Activity, FakeGuest, ScriptedAct } from './fakeGuest.js';
import { FakeMemory } from './fakeMemory.js';
import { FakeContext, FakePageLog } from './fakePageLog.js';

export interface FakeMachineOptions {
  readonly name?: string;
  /** Default: 64. They begin at address 0. */
  readonly memoryPages?: number;
  /** Entries of all page logs together. Default: four for each page. */
  readonly logPages?: number;
  /** Default: `pc` and `x10`. All are 0 at boot. */
  readonly registers?: readonly string[];
  readonly signals?: readonly string[];
  /** Default: `console`. */
  readonly devices?: readonly string[];
  readonly capabilities?: readonly Capability[];
  readonly schedulingInterval?: Duration;
  /** What the guest does. By default it computes, without writes or output. */
  readonly guest?: readonly ScriptedAct[];
  /** How the guest responds to input, at once. */
  readonly onInput?: (guest: FakeGuest, device: string, data: Uint8Array) => void;
}

/** The fake behind the port, for whoever scripts it. */
export const FAKE_MACHINE = token<FakeMachine>('FAKE_MACHINE');

/** All of the guest that a rollback brings back, but for memory. */
interface GuestState {
  readonly guestNs: Nanoseconds;
  readonly registers: Readonly<Record<string, bigint>>;
  readonly activity: Activity;
  readonly exitCode: number | undefined;
  readonly positions: Readonly<Record<string, number>>;
}

/** A fact, whose time is now unless it is given. */
type Untimed<F> = Omit<F, 'atNs'> & { readonly atNs?: Nanoseconds };

/**
 * A VM without a hypervisor that keeps the contract of the port. It has memory, page logs, contexts, registers and a
 * clock; its guest is a script. Its time passes only in {@link advance}. Facts can be emitted by hand too.
 */
export class FakeMachine implements VirtualMachine {
  readonly name: string;
  readonly memoryPages: number;
  readonly registers: readonly string[];
  readonly signals: readonly string[];
  readonly capabilities: ReadonlySet<Capability>;
  readonly schedulingIntervalNs: Nanoseconds;
  readonly clock = new FakeClock();

  private readonly memory: FakeMemory;
  private readonly devices: readonly string[];
  private readonly script: readonly ScriptedAct[];
  private readonly onInput: FakeMachineOptions['onInput'];
  private readonly observers = new FactEmitter();
  private readonly face: FakeGuest;
  private pending: () => Promise<void> | undefined = () => undefined;
  private state: GuestState;
  private suspended = false;
  private closed = false;
  private epoch = 0;
  private epochOpenedAtNs: Nanoseconds = 0;
  private sliceEndNs: Nanoseconds;
  private spent = { busy: 0, idle: 0, halted: 0 };
  private signs = new Map<string, Nanoseconds>();

  constructor(options: FakeMachineOptions = {}) {
    this.name = options.name ?? 'fake';
    this.memoryPages = options.memoryPages ?? 64;
    this.registers = options.registers ?? ['pc', 'x10'];
    this.signals = options.signals ?? ['load-access-fault', 'breakpoint'];
    this.devices = options.devices ?? ['console'];
    this.capabilities = new Set(options.capabilities ?? ['pagefault-facts', 'deterministic']);
    this.schedulingIntervalNs = nanoseconds(options.schedulingInterval ?? '10ms');
    this.script = options.guest ?? [];
    this.onInput = options.onInput;
    this.memory = new FakeMemory(this.memoryPages, options.logPages ?? 4 * this.memoryPages);
    this.state = this.atBoot();
    this.sliceEndNs = this.schedulingIntervalNs;
    this.face = this.guestFace();
  }

  /** Lets so much domain time pass, as far as the VM is not suspended, off or closed; while it is held, none. */
  async advance(by: Duration | Nanoseconds): Promise<void> {
    const untilNs = this.clock.nowNs + (typeof by === 'number' ? by : nanoseconds(by));
    for (;;) {
      await this.released();
      if (!this.runs || this.clock.nowNs >= untilNs) return;
      if (this.clock.fireDue()) continue;
      this.passUntil(Math.min(untilNs, this.clock.nextNs, this.sliceEndNs));
    }
  }

  /** Emits a fact, as a hypervisor does. Default time: now. */
  emit<F extends keyof Facts>(fact: F, what: Untimed<Facts[F]>): void {
    this.observers.emit(fact, { atNs: this.clock.nowNs, ...what } as Facts[F]);
  }

  get guestNs(): Nanoseconds {
    return this.state.guestNs;
  }

  get isSuspended(): boolean {
    return this.suspended;
  }

  /** The code with which the guest switched itself off; absent while it is on. */
  get exitCode(): number | undefined {
    return this.state.exitCode;
  }

  observe<F extends keyof Facts>(fact: F, observer: (what: Facts[F]) => void): Disposable {
    return this.observers.observe(fact, observer);
  }

  holdWhile(pending: () => Promise<void> | undefined): void {
    this.pending = pending;
  }

  async suspend(): Promise<void> {
    this.checkOpen();
    this.suspended = true;
  }

  async resume(): Promise<void> {
    this.checkOpen();
    this.suspended = false;
  }

  async readRegister(name: string): Promise<bigint> {
    this.checkOpen();
    this.checkKnown('register', name, this.registers);
    return this.state.registers[name] ?? 0n;
  }

  async writeRegister(name: string, value: bigint): Promise<void> {
    this.checkOpen();
    this.checkKnown('register', name, this.registers);
    this.face.setRegister(name, value);
  }

  async read(address: number, bytes: number): Promise<Uint8Array> {
    this.checkRange(address, bytes);
    return this.memory.bytes.slice(address, address + bytes);
  }

  async write(address: number, data: Uint8Array): Promise<void> {
    this.checkRange(address, data.length);
    this.face.store(address, data);
  }

  async raise(cause: string): Promise<void> {
    this.checkOpen();
    this.checkKnown('signal', cause, this.signals);
    this.face.signal(cause);
  }

  async input(device: string, data: Uint8Array): Promise<void> {
    this.checkOpen();
    this.checkKnown('device', device, this.devices);
    this.onInput?.(this.face, device, data);
  }

  async checkpoint(plan: EpochPlan): Promise<Checkpointed> {
    this.checkOpen();
    const openedAtNs = this.epochOpenedAtNs;
    const { log, closed } = this.memory.nextEpoch(plan);
    const opened = this.opened(log);
    return closed === undefined
      ? opened
      : { ...opened, closed: { openedAtNs, closedAtNs: opened.atNs, pauseHostNs: 0, ...closed } };
  }

  async rollback({ context, logs }: RollbackTarget, plan: EpochPlan): Promise<RolledBack> {
    this.checkOpen();
    if (!this.suspended) throw runningError(this.name);
    const own = logs.map((log) => this.ownLog(log));
    const saved = this.ownContext(context, own.at(-1));
    const { log, pagesRestored } = this.memory.rollback(own, plan);
    const undoneNs = this.state.guestNs - saved.guestNs;
    const outputStruckBytes = bytesIn(this.state.positions) - bytesIn(saved.positions);
    this.state = saved;
    this.beginSlice();
    return { ...this.opened(log), pagesRestored, undoneNs, outputStruckBytes };
  }

  async restart(): Promise<void> {
    this.checkOpen();
    this.memory.reset();
    this.epoch += 1;
    this.state = this.atBoot();
    this.beginSlice();
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  extension<T>(of: Token<T>): T | undefined;
  extension(of: symbol): unknown {
    return of === FAKE_MACHINE ? this : undefined;
  }

  private get runs(): boolean {
    return !this.suspended && !this.closed && this.state.exitCode === undefined;
  }

  private async released(): Promise<void> {
    for (let held = this.pending(); held !== undefined; held = this.pending()) await held;
  }

  /** Lets time pass to `untilNs`, or to the next thing that the guest does. */
  private passUntil(untilNs: Nanoseconds): void {
    const act = this.nextAct();
    const untilGuestNs = Math.min(this.state.guestNs + untilNs - this.clock.nowNs, act?.dueNs ?? Infinity);
    const passedNs = untilGuestNs - this.state.guestNs;
    this.spent[this.state.activity] += passedNs;
    this.clock.nowNs += passedNs;
    this.state = { ...this.state, guestNs: untilGuestNs };
    for (const { does } of act?.dueNs === untilGuestNs ? act.acts : []) does(this.face);
    if (this.clock.nowNs >= this.sliceEndNs) this.endSlice();
  }

  /** What the script has next, all of one moment together. */
  private nextAct(): { readonly dueNs: Nanoseconds; readonly acts: readonly ScriptedAct[] } | undefined {
    const due = this.script
      .map((act) => ({ act, dueNs: dueAfter(act, this.state.guestNs) }))
      .filter(({ dueNs }) => dueNs < Infinity);
    if (due.length === 0) return undefined;
    const dueNs = Math.min(...due.map((one) => one.dueNs));
    return { dueNs, acts: due.filter((one) => one.dueNs === dueNs).map(({ act }) => act) };
  }

  private endSlice(): void {
    const { busy: cpuNs, idle: idleNs, halted: haltedNs } = this.spent;
    const state = ({ busy: 'ran', idle: 'idle', halted: 'halted' } as const)[this.state.activity];
    const progress = Array.from(this.signs, ([sign, atNs]) => ({ sign, atNs }));
    this.beginSlice();
    this.emit('scheduled', { cpuNs, idleNs, haltedNs, state, progress });
  }

  private beginSlice(): void {
    this.sliceEndNs = this.clock.nowNs + this.schedulingIntervalNs;
    this.spent = { busy: 0, idle: 0, halted: 0 };
    this.signs = new Map();
  }

  private atBoot(): GuestState {
    const registers = Object.fromEntries(this.registers.map((name) => [name, 0n]));
    return { guestNs: 0, registers, activity: 'busy', exitCode: undefined, positions: {} };
  }

  private guestFace(): FakeGuest {
    return {
      store: (address, data) => {
        const lost = this.memory.write(address, data);
        const frames = Uint32Array.from(this.memory.faulted.splice(0));
        if (frames.length > 0 && this.capabilities.has('pagefault-facts')) this.emit('pagefault', { frames });
        if (lost)
          this.emit('loglost', { reason: 'the log area is full: give the fake machine more logPages' });
      },
      putOut: (device, what) => {
        const data = typeof what === 'string' ? new TextEncoder().encode(what) : what.slice();
        const { guestNs, positions } = this.state;
        const position = positions[device] ?? 0;
        this.state = { ...this.state, positions: { ...positions, [device]: position + data.length } };
        this.emit('output', { device, data, position, guestNs, epoch: this.epoch });
      },
      setRegister: (name, value) => {
        this.state = { ...this.state, registers: { ...this.state.registers, [name]: value } };
      },
      sign: (sign) => void this.signs.set(sign, this.clock.nowNs),
      becomes: (activity) => {
        this.state = { ...this.state, activity };
      },
      signal: (cause, privilege: Privilege = 'kernel') => this.emit('signal', { cause, privilege }),
      exit: (code) => {
        this.state = { ...this.state, exitCode: code };
        this.emit('exited', { code });
      },
    };
  }

  private opened(log: FakePageLog): Checkpointed {
    this.epoch += 1;
    this.epochOpenedAtNs = this.clock.nowNs;
    return { atNs: this.clock.nowNs, context: new FakeContext(this.state, log), log };
  }

  private ownLog(log: PageLog): FakePageLog {
    if (log instanceof FakePageLog && log.owner === this.memory) return log;
    throw foreignLogError(this.name);
  }

  private ownContext(context: Context, oldest: FakePageLog | undefined): GuestState {
    if (!(context instanceof FakeContext) || (oldest !== undefined && context.log !== oldest)) {
      throw foreignContextError();
    }
    if (context.isIntact) return context.saved as GuestState;
    throw damagedContextError();
  }

  private checkRange(address: number, bytes: number): void {
    this.checkOpen();
    offsetIn({ begin: 0, bytes: this.memory.bytes.length }, address, bytes, this.name);
  }

  private checkKnown(what: string, name: string, known: readonly string[]): void {
    if (!known.includes(name)) throw unknownNameError(this.name, what, name, known);
  }

  private checkOpen(): void {
    if (this.closed) throw closedError(this.name);
  }
}

/** When the act is due next, after this moment of guest time. */
function dueAfter({ at, every }: ScriptedAct, guestNs: Nanoseconds): Nanoseconds {
  const firstNs = nanoseconds(at);
  if (guestNs < firstNs) return firstNs;
  if (every === undefined) return Infinity;
  const everyNs = nanoseconds(every);
  return firstNs + (Math.floor((guestNs - firstNs) / everyNs) + 1) * everyNs;
}

function bytesIn(positions: Readonly<Record<string, number>>): number {
  return Object.values(positions).reduce((sum, position) => sum + position, 0);
}
