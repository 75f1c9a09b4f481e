import { Clint } from '../src/devices/clint.js';
import { DeviceBus } from '../src/devices/deviceBus.js';
import { Finisher } from '../src/devices/finisher.js';
import { HartState } from '../src/hart/hartState.js';
import { Interpreter } from '../src/hart/interpreter.js';
import { Stop, type HartMemory } from '../src/hart/processor.js';
import { readRegister, writeRegister } from '../src/hart/registers.js';
import { StateReader, StateWriter } from '../src/memory/stateStream.js';
import { Uart } from '../src/devices/uart.js';
import { Assembler } from './assembler.js';

export const RAM = 0x8000_0000;
export const PAGE = 4096;
const GUARD_BYTE = 0xa5;

/** RAM between two guard pages. Records each page that is reported before a store, with its contents at that time. */
class TestMemory implements HartMemory {
  readonly base = RAM;
  readonly bytes: number;
  readonly u8: Uint8Array;
  readonly i8: Int8Array;
  readonly u16: Uint16Array;
  readonly i16: Int16Array;
  readonly i32: Int32Array;
  readonly pageState: Uint8Array;
  readonly reported: { readonly frame: number; readonly contents: Uint8Array }[] = [];
  private readonly whole: Uint8Array;

  constructor(pages: number) {
    this.bytes = pages * PAGE;
    this.whole = new Uint8Array(this.bytes + 2 * PAGE).fill(GUARD_BYTE);
    const { buffer } = this.whole;
    this.u8 = new Uint8Array(buffer, PAGE, this.bytes).fill(0);
    this.i8 = new Int8Array(buffer, PAGE, this.bytes);
    this.u16 = new Uint16Array(buffer, PAGE, this.bytes / 2);
    this.i16 = new Int16Array(buffer, PAGE, this.bytes / 2);
    this.i32 = new Int32Array(buffer, PAGE, this.bytes / 4);
    this.pageState = new Uint8Array(pages);
  }

  beforeWrite(frame: number): void {
    if (this.pageState[frame] === 0) throw new Error(`frame ${frame} was reported although it is writable`);
    this.reported.push({ frame, contents: this.u8.slice(frame * PAGE, (frame + 1) * PAGE) });
    this.pageState[frame] = 0;
  }

  get guardsIntact(): boolean {
    const guards = [...this.whole.subarray(0, PAGE), ...this.whole.subarray(-PAGE)];
    return guards.every((byte) => byte === GUARD_BYTE);
  }

  word(address: number): number {
    return new DataView(this.u8.buffer, this.u8.byteOffset, this.bytes).getUint32(address - RAM, true);
  }
}

export interface BoardOptions {
  readonly pages?: number;
  readonly cyclesPerTick?: number;
  /** Input bytes, each with the cycle at which it arrives. */
  readonly input?: readonly (readonly [cycle: number, byte: number])[];
}

/** The hart, its devices and a little memory. */
export class TestBoard {
  readonly memory: TestMemory;
  readonly clint: Clint;
  readonly state: HartState;
  readonly uart: Uart;
  readonly devices: DeviceBus;
  readonly processor: Interpreter;
  readonly written: number[] = [];
  private readonly input: readonly (readonly [number, number])[];
  private cursor = 0;

  constructor(readonly options: BoardOptions = {}) {
    this.input = options.input ?? [];
    this.memory = new TestMemory(options.pages ?? 4);
    this.clint = new Clint(options.cyclesPerTick ?? 10);
    this.state = new HartState(this.clint);
    this.uart = new Uart({
      transmit: (byte) => {
        this.written.push(byte);
      },
      receive: (cycle) => this.receive(cycle),
    });
    this.devices = new DeviceBus(this.clint, this.uart, new Finisher(this.state));
    this.processor = new Interpreter(this.state, this.memory, this.devices);
    this.state.pc = RAM | 0;
  }

  /** Lays a program into RAM where it was assembled for. */
  load(program: Assembler): this {
    this.memory.u8.set(program.bytes(), program.origin - RAM);
    return this;
  }

  /** Runs until `cycle`, past exceptions. */
  runTo(cycle: number): Stop {
    for (;;) {
      const stop = this.processor.run(cycle);
      if (stop !== Stop.EXCEPTION) return stop;
    }
  }

  /** Runs until `cycle` as the machine around it does: idle time passes until the next interrupt. */
  runThrough(cycle: number): Stop {
    for (;;) {
      const stop = this.runTo(cycle);
      if (stop !== Stop.WAITING || this.state.cycles >= cycle) return stop;
      const wake = Math.min(cycle, this.state.nextWakeCycle());
      this.state.idleCycles += wake - this.state.cycles;
      this.state.cycles = wake;
    }
  }

  /** One instruction, or one exception. */
  step(): Stop {
    return this.processor.run(this.state.cycles + 1);
  }

  /** A register, unsigned. */
  x(name: string): number {
    return Number(readRegister(this.state, name));
  }

  set(name: string, value: number): this {
    writeRegister(this.state, name, BigInt(value >>> 0));
    return this;
  }

  /** All of the state outside memory. */
  save(): Uint8Array {
    const bytes = new Uint8Array(HartState.BYTES + Clint.BYTES + Uart.BYTES);
    const to = new StateWriter(bytes);
    this.state.save(to);
    this.clint.save(to);
    this.uart.save(to);
    if (to.position !== bytes.length)
      throw new Error(`${to.position} bytes were saved instead of ${bytes.length}`);
    return bytes;
  }

  /** A fresh board in the state of this one. */
  copy(): TestBoard {
    const other = new TestBoard(this.options);
    const from = new StateReader(this.save());
    other.state.load(from);
    other.clint.load(from);
    other.uart.load(from);
    other.memory.u8.set(this.memory.u8);
    other.memory.pageState.set(this.memory.pageState);
    other.written.push(...this.written);
    other.cursor = this.cursor;
    return other;
  }

  private receive(cycle: number): number {
    const next = this.input[this.cursor];
    if (next === undefined || next[0] > cycle) return -1;
    this.cursor += 1;
    return next[1];
  }
}

/** A board that is about to execute what `build` assembles. */
export function boardWith(build: (program: Assembler) => void, options?: BoardOptions): TestBoard {
  const program = new Assembler();
  build(program);
  return new TestBoard(options).load(program);
}

/** 32-bit numbers at which arithmetic goes wrong, if it does. */
export const CORNERS = [
  0, 1, 2, 3, 31, 32, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x12345678, 0x7fffffff, 0x80000000,
  0x80000001, 0x87654321, 0xaaaaaaaa, 0xffff0000, 0xfffffffe, 0xffffffff,
] as const;
