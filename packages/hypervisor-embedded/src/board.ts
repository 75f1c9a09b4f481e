import { createHash } from 'node:crypto';
import type { BootPlan } from './bootPlan.js';
import { Clint } from './devices/clint.js';
import { DeviceBus } from './devices/deviceBus.js';
import { Finisher } from './devices/finisher.js';
import type { GuestMemory } from './memory/guestMemory.js';
import { HartState } from './hart/hartState.js';
import type { InputLog } from './devices/inputLog.js';
import { Interpreter } from './hart/interpreter.js';
import type { Engine } from './engine.js';
import type { Processor } from './hart/processor.js';
import { Translator } from './translator/translator.js';
import { StateReader, StateWriter } from './memory/stateStream.js';
import type { Transcript } from './devices/transcript.js';
import { Uart } from './devices/uart.js';

/** What a run can be compared by. Two runs that are alike in both are in the same state. */
export interface Digest {
  /** SHA-256 of all of RAM, in hexadecimal. */
  readonly memory: string;
  /** SHA-256 of the context: registers, control registers, devices, guest time, positions of input and output. */
  readonly context: string;
}

/** The register in which a boot loader passes the address of the device tree; a0, the hart's number, is 0. */
const A1 = 11;
const POSITIONS_BYTES = 8 + 8;
const CONTEXT_BYTES = Math.ceil((HartState.BYTES + Clint.BYTES + Uart.BYTES + POSITIONS_BYTES) / 4) * 4;

/** The virtual board: hart, devices and memory. All that a guest can see, and nothing that it cannot. */
export class Board {
  readonly state: HartState;
  readonly processor: Processor;
  /** Of the same hart, to execute single instructions whatever the processor. */
  readonly interpreter: Interpreter;
  readonly clint: Clint;
  private readonly uart: Uart;

  constructor(
    readonly memory: GuestMemory,
    readonly transcript: Transcript,
    readonly input: InputLog,
    cyclesPerTick: number,
    engine: Engine = 'interpreter',
  ) {
    this.clint = new Clint(cyclesPerTick);
    this.state = new HartState(this.clint, memory.registers);
    this.uart = new Uart({
      transmit: (byte) => transcript.append(byte),
      receive: (cycle) => input.take(cycle),
    });
    const devices = new DeviceBus(this.clint, this.uart, new Finisher(this.state));
    this.interpreter = new Interpreter(this.state, memory, devices);
    this.processor =
      engine === 'interpreter'
        ? this.interpreter
        : new Translator(this.state, memory, devices, engine === 'translator' ? {} : engine.translator);
  }

  /** The state at power-on is that of fresh hart and devices, so it is kept to come back to. */
  boot({ image, bootData, deviceTree, currentTask }: BootPlan): void {
    const { memory, state } = this;
    for (const { address, data } of [...image.segments, ...bootData])
      memory.write(address - memory.base, data);
    state.pc = image.entry | 0;
    if (deviceTree !== undefined) {
      memory.write(deviceTree.address - memory.base, deviceTree.data);
      state.x[A1] = deviceTree.address;
    }
    memory.forgetWritten();
    if (currentTask !== undefined) {
      const word = (currentTask - memory.base) / 4;
      state.currentTask = memory.i32.subarray(word, word + 1);
    }
    state.forgetTask();
  }

  /** All that is not in memory, in a whole number of 32-bit words. */
  save(): Uint8Array {
    const bytes = new Uint8Array(CONTEXT_BYTES);
    const to = new StateWriter(bytes);
    this.state.save(to);
    this.clint.save(to);
    this.uart.save(to);
    to.f64(this.transcript.position);
    to.f64(this.input.cursor);
    return bytes;
  }

  /** Loads what was saved, and says how many bytes of output were struck. */
  load(saved: Uint8Array): number {
    const from = new StateReader(saved);
    this.state.load(from);
    this.clint.load(from);
    this.uart.load(from);
    const struck = this.transcript.strikeTo(from.f64());
    this.input.cursor = from.f64();
    return struck;
  }

  /** Each sign of progress is reported once. Signs are not part of the guest's state. */
  forgetProgress(): void {
    this.state.contextSwitchCycle = -1;
    this.state.timerRearmCycle = -1;
  }

  digest(): Digest {
    return { memory: sha256(this.memory.u8), context: sha256(this.save()) };
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
