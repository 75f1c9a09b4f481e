import { parseElf, RAM_BASE } from '@rmk/hypervisor-embedded';
// A hart alone, one instruction at a time, with a stopped clock: the machine around it has no door for that.
import { Clint, CLINT_BASE } from '../../packages/hypervisor-embedded/src/devices/clint.js';
import { DeviceBus } from '../../packages/hypervisor-embedded/src/devices/deviceBus.js';
import { Finisher } from '../../packages/hypervisor-embedded/src/devices/finisher.js';
import { GuestMemory } from '../../packages/hypervisor-embedded/src/memory/guestMemory.js';
import { HartState, NO_RESERVATION } from '../../packages/hypervisor-embedded/src/hart/hartState.js';
import { Interpreter } from '../../packages/hypervisor-embedded/src/hart/interpreter.js';
import type { Processor } from '../../packages/hypervisor-embedded/src/hart/processor.js';
import { readRegister, writeRegister } from '../../packages/hypervisor-embedded/src/hart/registers.js';
import { Uart } from '../../packages/hypervisor-embedded/src/devices/uart.js';
import type { ComparedHart } from './comparedHart.js';
import { LINE_DATA_READY, MSIP, MTIME, MTIMECMP, UART_LINE_STATUS, type DeviceStore } from './devices.js';
import type { OracleGuest } from './guest.js';
import {
  CONTROL_REGISTERS,
  PC,
  REGISTERS,
  type ControlFile,
  type ControlRegister,
  type RegisterFile,
} from './registers.js';

/** More cycles to a tick of mtime than a comparison lasts: time passes only where the comparison says so. */
const STANDSTILL = 2 ** 50;

/** The interpreter of the embedded hypervisor with its devices and memory. */
export class EmbeddedHart implements ComparedHart {
  readonly ram: Uint8Array;
  private readonly memory: GuestMemory;
  private readonly clint = new Clint(STANDSTILL);
  private readonly state = new HartState(this.clint);
  private readonly devices: DeviceBus;
  private readonly processor: Processor;
  private readonly line: number[] = [];

  constructor({ name, elf, memoryBytes, bootData = [] }: OracleGuest) {
    this.memory = new GuestMemory(memoryBytes, 1);
    this.ram = this.memory.u8;
    const uart = new Uart({
      transmit: () => {},
      receive: () => this.line.shift() ?? -1,
    });
    this.devices = new DeviceBus(this.clint, uart, new Finisher(this.state));
    this.processor = new Interpreter(this.state, this.memory, this.devices);
    const image = parseElf(elf, name);
    for (const { address, data } of [...image.segments, ...bootData]) {
      this.memory.write(address - RAM_BASE, data);
    }
    this.state.pc = image.entry | 0;
  }

  get registers(): RegisterFile {
    const registers = new Uint32Array(REGISTERS);
    registers.set(this.state.x);
    registers[PC] = this.state.pc;
    return registers;
  }

  get control(): ControlFile {
    return Object.fromEntries(
      CONTROL_REGISTERS.map((name) => [name, Number(readRegister(this.state, ownName(name)))]),
    ) as unknown as ControlFile;
  }

  get exitCode(): number | undefined {
    return this.state.exited ? this.state.exitCode : undefined;
  }

  get waiting(): boolean {
    return this.state.waiting;
  }

  get softwareInterrupt(): boolean {
    return this.clint.read(MSIP - CLINT_BASE, this.state.cycles) !== 0;
  }

  get hasReceived(): boolean {
    return (this.devices.load(UART_LINE_STATUS, 1, this.state.cycles) & LINE_DATA_READY) !== 0;
  }

  wordAt(address: number): number {
    const offset = address - RAM_BASE;
    if (offset < 0 || offset >= this.ram.length) return 0;
    const low = this.memory.u16[offset >>> 1] ?? 0;
    return (low & 3) === 3 ? (low | ((this.memory.u16[(offset >>> 1) + 1] ?? 0) << 16)) >>> 0 : low;
  }

  step(): void {
    this.processor.run(this.state.cycles + 1);
  }

  setRegister(index: number, value: number): void {
    if (index !== 0) this.state.x[index] = value;
  }

  setPc(value: number): void {
    this.state.pc = value | 0;
  }

  setControl(name: ControlRegister, value: number): void {
    writeRegister(this.state, ownName(name), BigInt(value));
  }

  adopt(registers: RegisterFile, control: ControlFile, devices: readonly DeviceStore[]): void {
    const { state } = this;
    state.x.set(registers.subarray(0, PC));
    state.pc = (registers[PC] ?? 0) | 0;
    for (const name of CONTROL_REGISTERS) this.setControl(name, control[name]);
    state.reservation = NO_RESERVATION;
    state.waiting = false;
    this.line.length = 0;
    for (const { address, width, value } of devices) this.devices.store(address, width, value, state.cycles);
    this.setTimerDue(false);
  }

  setTimerDue(due: boolean): void {
    const { state, clint } = this;
    for (const half of [0, 4]) {
      const value = due ? clint.read(MTIMECMP - CLINT_BASE + half, state.cycles) : 0;
      clint.write(MTIME - CLINT_BASE + half, value, state.cycles);
    }
  }

  receive(byte: number): void {
    this.line.push(byte);
  }
}

function ownName(name: ControlRegister): string {
  return name === 'priv' ? 'privilege' : name;
}
