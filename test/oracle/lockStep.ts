import type { ComparedHart } from './comparedHart.js';
import { compareControl, compareMemory, compareRegisters, takeDeviceTree } from './compareStates.js';
import { LINE_DATA_READY } from './devices.js';
import { EXIT_CODE_BITS, RESET_VECTOR_REGISTERS, TRAP_DIFFERENCES } from './differences.js';
import { bytesOf, expanded, isJump, mnemonic, opcode, SYSTEM, WFI } from './instruction.js';
import type { QemuHart } from './qemuHart.js';
import { hex, PC, type ControlFile, type RegisterFile } from './registers.js';
import { timeInputOf } from './timeInputs.js';

/** A part of the guest's life that is compared instruction by instruction. */
export interface Stretch {
  /** Entries to the trap handler that QEMU runs through before it begins; 0: it follows at once. */
  readonly afterTraps: number;
  /** It ends when so many instructions have been compared, those of the stretches before included. */
  readonly until: number;
  /** Put on the serial line at its beginning. The guest must have read it all when the next stretch begins. */
  readonly input?: Uint8Array;
}

/** What was compared. */
export interface LockStepReport {
  readonly instructions: number;
  readonly userInstructions: number;
  readonly exceptions: number;
  readonly interrupts: number;
  /** Reads of the time and of the serial line's state, whose results were taken from QEMU. */
  readonly timeInputs: number;
  readonly mnemonics: ReadonlySet<string>;
  /** Whether the guest switched itself off. */
  readonly ended: boolean;
}

const INTERRUPT = 0x8000_0000;
const SOFTWARE_INTERRUPT = 3;
const TIMER_INTERRUPT = 7;
const VECTORED = 1;
const USER = 0;
const MSTATUS_MIE = 1 << 3;
const MIE_SOFTWARE = 1 << 3;
const MIE_TIMER = 1 << 7;
/** Instructions of QEMU's reset vector, at most. */
const RESET_VECTOR = 16;
/** As far as the guest has them enabled, interrupts are let through this often. */
const INTERRUPT_INTERVAL = 2500;
/** Instructions within which a guest sets its trap handler up. */
const SET_UP = 200_000;
/** Control registers are compared wherever they can have changed, and now and then where they cannot. */
const CONTROL_INTERVAL = 64;

interface Interrupt {
  readonly number: number;
  /** The step began with a WFI, which it ended. */
  readonly afterWfi: boolean;
}

/**
 * Two harts that execute the same guest, one of them QEMU's. After each instruction all registers must be equal, after
 * each stretch all of memory. Interrupts come when QEMU's do; see the README.
 */
export class LockStep {
  private instructions = 0;
  private userInstructions = 0;
  private exceptions = 0;
  private interrupts = 0;
  private timeInputs = 0;
  private readonly mnemonics = new Set<string>();
  /** Bytes that were sent to QEMU and not yet to ours. */
  private readonly line: number[] = [];
  /** As of the last comparison of control registers, which there is wherever they can have changed. */
  private control: ControlFile;
  private interruptsAllowed = false;
  private interruptedAt = 0;
  private ended = false;

  constructor(
    private readonly qemu: QemuHart,
    private readonly ours: ComparedHart,
  ) {
    this.control = ours.control;
  }

  /** Rejected with the first difference. The comparison ends where the guest does. */
  async compare(stretches: readonly Stretch[]): Promise<LockStepReport> {
    await this.leaveResetVector();
    for (const { afterTraps, until, input = new Uint8Array(0) } of stretches) {
      if (afterTraps > 0) await this.skip(afterTraps);
      this.interruptedAt = this.instructions;
      this.qemu.send(input);
      this.line.push(...input);
      while (this.instructions < until && !this.ended) await this.step();
      if (this.ended) break;
      this.check(compareMemory(this.ours.ram, await this.qemu.readRam()), this.ours.registers[PC] ?? 0);
    }
    return {
      instructions: this.instructions,
      userInstructions: this.userInstructions,
      exceptions: this.exceptions,
      interrupts: this.interrupts,
      timeInputs: this.timeInputs,
      mnemonics: this.mnemonics,
      ended: this.ended,
    };
  }

  private async step(): Promise<void> {
    const before = this.ours.registers;
    const pc = before[PC] ?? 0;
    const waits = this.ours.wordAt(pc) === WFI;
    if (waits || this.isInterruptDue) await this.allowInterrupts(true);
    if (!(await this.qemu.step())) {
      await this.end(pc);
      return;
    }
    const after = await this.qemu.registers();
    const interrupt = await this.interruptAt(after, pc);
    if (interrupt !== undefined) await this.enterHandler(interrupt, after);
    else if (waits) await this.wait(pc, after);
    else await this.execute(before, after);
  }

  /** Lets ours execute the instruction that led QEMU from `before` to `after`, and compares. */
  private async execute(before: RegisterFile, after: RegisterFile, interrupted = false): Promise<void> {
    const pc = before[PC] ?? 0;
    const word = this.ours.wordAt(pc);
    const meaning = expanded(word);
    const input = timeInputOf(meaning, before);
    const read = input === undefined ? 0 : (after[input.register] ?? 0);
    if (input?.kind === 'line' && (read & LINE_DATA_READY) !== 0 && !this.ours.hasReceived) this.deliver();
    this.ours.step();
    if (input?.kind === 'time') this.ours.setRegister(input.register, read);

    const trapped = after[PC] !== (pc + bytesOf(word)) >>> 0 && !isJump(meaning);
    this.count(word);
    this.exceptions += trapped ? 1 : 0;
    this.timeInputs += input === undefined ? 0 : 1;
    const differences = compareRegisters(this.ours.registers, after);
    if (this.ours.exitCode !== undefined) differences.push('it has switched itself off, QEMU has not');
    if (
      interrupted ||
      trapped ||
      opcode(meaning) === SYSTEM ||
      this.isHandler(after[PC] ?? 0) ||
      differences.length > 0 ||
      this.instructions % CONTROL_INTERVAL === 0
    ) {
      differences.push(...(await this.compareControl(trapped ? word : undefined)));
    }
    this.check(differences, pc);
  }

  /** The interrupt that QEMU has taken in its last step, which began at `pc`. */
  private async interruptAt(after: RegisterFile, pc: number): Promise<Interrupt | undefined> {
    if (!this.isHandler(after[PC] ?? 0)) return undefined;
    const mcause = await this.qemu.controlRegister('mcause');
    if (mcause < INTERRUPT) return undefined;
    const mepc = await this.qemu.controlRegister('mepc');
    const number = mcause - INTERRUPT;
    if (mepc === pc) return { number, afterWfi: false };
    return mepc === pc + 4 && this.ours.wordAt(pc) === WFI ? { number, afterWfi: true } : undefined;
  }

  /** QEMU has only entered the handler. Ours enters it and executes its first instruction in one go. */
  private async enterHandler({ number, afterWfi }: Interrupt, entered: RegisterFile): Promise<void> {
    if (afterWfi) this.passWfi();
    if (number === TIMER_INTERRUPT) this.ours.setTimerDue(true);
    this.interrupts += 1;
    this.interruptedAt = this.instructions;
    await this.allowInterrupts(false);
    if (!(await this.qemu.step())) throw new Error('QEMU ended at the entry to a trap');
    await this.execute(entered, await this.qemu.registers(), true);
    this.ours.setTimerDue(false);
  }

  /** A WFI that no interrupt ended. Where there was a wait, QEMU's step ends behind the instruction that follows it. */
  private async wait(pc: number, after: RegisterFile): Promise<void> {
    this.passWfi();
    if (this.ours.waiting) this.ours.setTimerDue(true);
    const behind = this.ours.registers;
    if (after[PC] === behind[PC]) this.check(compareRegisters(behind, after), pc);
    else await this.execute(behind, after);
  }

  /** A software interrupt, or time for another one of the timer, and the guest would take it. */
  private get isInterruptDue(): boolean {
    const { priv, mstatus, mie } = this.control;
    if (priv !== USER && (mstatus & MSTATUS_MIE) === 0) return false;
    if ((mie & MIE_SOFTWARE) !== 0 && this.ours.softwareInterrupt) return true;
    return (mie & MIE_TIMER) !== 0 && this.instructions - this.interruptedAt >= INTERRUPT_INTERVAL;
  }

  private async allowInterrupts(allow: boolean): Promise<void> {
    if (this.interruptsAllowed === allow) return;
    this.interruptsAllowed = allow;
    await this.qemu.allowInterrupts(allow);
  }

  private passWfi(): void {
    this.ours.step();
    this.count(WFI);
  }

  private async end(pc: number): Promise<void> {
    this.count(this.ours.wordAt(pc));
    this.ours.step();
    this.ended = true;
    const theirs = await this.qemu.exitCode;
    const { exitCode } = this.ours;
    if (exitCode === undefined) this.check([`it runs on, QEMU ended with ${theirs}`], pc);
    else if ((exitCode & EXIT_CODE_BITS) !== theirs) {
      this.check([`it ends with ${exitCode}, under QEMU with ${theirs}`], pc);
    }
  }

  /** QEMU's first instructions are its own. Where they end, the guest's files lie in both memories alike. */
  private async leaveResetVector(): Promise<void> {
    const ours = this.ours.registers;
    let theirs = await this.qemu.registers();
    for (let count = 0; theirs[PC] !== ours[PC] && count < RESET_VECTOR; count += 1) {
      await this.qemu.step();
      theirs = await this.qemu.registers();
    }
    const ram = await this.qemu.readRam();
    takeDeviceTree(this.ours.ram, ram);
    this.check(
      [
        ...compareRegisters(ours, theirs, RESET_VECTOR_REGISTERS),
        ...(await this.compareControl()),
        ...compareMemory(this.ours.ram, ram),
      ],
      ours[PC] ?? 0,
    );
    for (const register of RESET_VECTOR_REGISTERS) this.ours.setRegister(register, theirs[register] ?? 0);
  }

  /** Lets QEMU run on alone, to a later entry to the handler, and takes its state over. */
  private async skip(traps: number): Promise<void> {
    for (let count = 0; this.handlers.length === 0 && count < SET_UP; count += 1) await this.step();
    const [handler] = this.handlers;
    if (handler === undefined)
      throw new Error('the guest sets no trap handler, so there is nothing to stop at');
    if (!(await this.qemu.runToTrap(handler, traps))) {
      throw new Error(`the guest ended within ${traps} traps; skip fewer`);
    }
    this.line.length = 0;
    this.ours.adopt(await this.qemu.registers(), await this.qemu.control(), await this.qemu.deviceState());
    this.ours.ram.set(await this.qemu.readRam());
    this.check(await this.compareControl(), handler);
  }

  /** Where an interrupt can lead to. */
  private get handlers(): readonly number[] {
    const { mtvec } = this.control;
    const base = (mtvec & ~3) >>> 0;
    if (base === 0) return [];
    return (mtvec & VECTORED) === 0
      ? [base]
      : [base, base + 4 * SOFTWARE_INTERRUPT, base + 4 * TIMER_INTERRUPT];
  }

  private isHandler(pc: number): boolean {
    return this.handlers.includes(pc);
  }

  /** The line has brought a byte to QEMU's UART: ours gets the same one. */
  private deliver(): void {
    const byte = this.line.shift();
    if (byte === undefined) throw new Error('QEMU’s UART has a byte that nobody sent');
    this.ours.receive(byte);
  }

  private count(word: number): void {
    this.instructions += 1;
    this.userInstructions += this.control.priv === USER ? 1 : 0;
    this.mnemonics.add(mnemonic(word));
  }

  /** `trapped`: the instruction that has just raised an exception. */
  private async compareControl(trapped?: number): Promise<string[]> {
    this.control = await this.qemu.control();
    if (trapped !== undefined) {
      for (const { register, applies } of TRAP_DIFFERENCES) {
        if (applies(trapped, this.ours.control, this.control)) {
          this.ours.setControl(register, this.control[register]);
        }
      }
    }
    return compareControl(this.ours.control, this.control);
  }

  private check(differences: readonly string[], pc: number): void {
    if (differences.length === 0) return;
    const word = this.ours.wordAt(pc);
    throw new Error(
      `after ${this.instructions} instructions, at ${hex(pc)} (${mnemonic(word)}, ${hex(word)}): ${differences.join('; ')}`,
    );
  }
}
