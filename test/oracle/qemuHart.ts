import { open, type FileHandle } from 'node:fs/promises';
import { describedRegisters, GdbClient, type DescribedRegister } from '@rmk/hypervisor-qemu';
import {
  DIVISOR_LATCH,
  FIFO_ENABLE,
  FIFO_RESET,
  LINE_DATA_READY,
  MSIP,
  MTIMECMP,
  UART_FIFO,
  UART_INTERRUPT_ENABLE,
  UART_LINE_CONTROL,
  UART_LINE_STATUS,
  UART_MODEM_CONTROL,
  UART_SCRATCH,
  type DeviceStore,
} from './devices.js';
import type { OracleGuest } from './guest.js';
import { countedTime, QemuProcess } from './qemuProcess.js';
import { CONTROL_REGISTERS, REGISTERS, wordAt, type ControlFile, type RegisterFile } from './registers.js';

/** Bits of the stub's way to step: single steps at all, no interrupts during one, no timers. */
const SINGLE = 1;
const NO_INTERRUPTS = 2;
const NO_TIMERS = 4;

/** 128 ns an instruction: a tick of a millisecond is not far away from the one before. */
const SHIFT = 7;

/** The hart of a QEMU, which is paused except during {@link step} and {@link runToTrap}. */
export class QemuHart {
  private readonly ram: Uint8Array;

  private constructor(
    private readonly process: QemuProcess,
    private readonly gdb: GdbClient,
    private readonly ramFile: FileHandle,
    private readonly described: ReadonlyMap<string, DescribedRegister>,
    memoryBytes: number,
  ) {
    this.ram = new Uint8Array(memoryBytes);
  }

  /** A guest at its reset vector. `timeout`: milliseconds of host time for all of it. */
  static async start(guest: OracleGuest, folder: string, timeout: number): Promise<QemuHart> {
    const ramFile = `${folder}/ram`;
    const socket = `${folder}/gdb`;
    const memory = `memory-backend-file,id=ram,size=${guest.memoryBytes},mem-path=${ramFile},share=on`;
    const gdbStub = ['-S', '-gdb', `unix:${socket},server=on,wait=off`];
    const process = await QemuProcess.start(guest, folder, {
      machine: ',memory-backend=ram',
      args: ['-object', memory, ...gdbStub, ...countedTime(SHIFT)],
      timeout,
    });
    try {
      const gdb = await Promise.race([GdbClient.connect(socket), process.ended.then(endedEarly)]);
      const described = await describedRegisters(gdb);
      return new QemuHart(process, gdb, await open(ramFile, 'r'), described, guest.memoryBytes);
    } catch (error) {
      process.kill();
      throw error;
    }
  }

  /** x0 to x31 and pc. */
  async registers(): Promise<RegisterFile> {
    const reply = await this.gdb.request('g');
    const registers = new Uint32Array(REGISTERS);
    for (let index = 0; index < REGISTERS; index += 1) registers[index] = wordAt(reply, 8 * index);
    return registers;
  }

  async control(): Promise<ControlFile> {
    const values = await Promise.all(CONTROL_REGISTERS.map((name) => this.controlRegister(name)));
    const entries = CONTROL_REGISTERS.map((name, index) => [name, values[index]]);
    return Object.fromEntries(entries);
  }

  async controlRegister(name: string): Promise<number> {
    const register = this.described.get(name);
    if (register === undefined) throw new Error(`the gdb stub has no register ${name}`);
    return wordAt(await this.gdb.request(`p${register.number.toString(16)}`));
  }

  /** Whether interrupts and timers may come during a step; see the README for why they may not otherwise. */
  async allowInterrupts(allow: boolean): Promise<void> {
    const bits = allow ? SINGLE : SINGLE | NO_INTERRUPTS | NO_TIMERS;
    await this.gdb.command(`Qqemu.sstep=${bits.toString(16)}`);
  }

  /** One instruction, or the entry to one trap. False where the guest has switched itself off. */
  async step(): Promise<boolean> {
    return this.go('s');
  }

  /** Runs freely through so many entries to the trap handler, and stops at the last. False where the guest ended. */
  async runToTrap(handler: number, traps: number): Promise<boolean> {
    const breakpoint = `0,${handler.toString(16)},4`;
    await this.gdb.command(`Z${breakpoint}`);
    for (let trap = 0; trap < traps; trap += 1) {
      // A step takes no notice of breakpoints, so it leaves the one that was hit last.
      if (!(await this.go('s')) || !(await this.go('c'))) return false;
    }
    await this.gdb.command(`z${breakpoint}`);
    return true;
  }

  /**
   * The devices' state but for the time, as stores that bring other devices to it. Reading it changes nothing that a
   * guest that polls its UART could notice. Throws where the guest has input to read, which no store could bring.
   */
  async deviceState(): Promise<readonly DeviceStore[]> {
    const lineControl = await this.byte(UART_LINE_CONTROL);
    if ((lineControl & DIVISOR_LATCH) !== 0) throw new Error('the guest sets its UART up; skip more traps');
    if (((await this.byte(UART_LINE_STATUS)) & LINE_DATA_READY) !== 0) {
      throw new Error('the guest has not read all its input; skip more traps');
    }
    const fifo = (await this.byte(UART_FIFO)) >>> 6 === 0 ? FIFO_RESET : FIFO_RESET | FIFO_ENABLE;
    const stores: DeviceStore[] = [{ address: UART_FIFO, width: 1, value: fifo }];
    for (const address of [UART_INTERRUPT_ENABLE, UART_LINE_CONTROL, UART_MODEM_CONTROL, UART_SCRATCH]) {
      stores.push({ address, width: 1, value: await this.byte(address) });
    }
    for (const address of [MTIMECMP, MTIMECMP + 4, MSIP]) {
      const value = wordAt(await this.gdb.request(`m${address.toString(16)},4`));
      stores.push({ address, width: 4, value });
    }
    return stores;
  }

  /** All of RAM, in a buffer that the next call fills again. */
  async readRam(): Promise<Uint8Array> {
    const { bytesRead } = await this.ramFile.read(this.ram, 0, this.ram.length, 0);
    if (bytesRead !== this.ram.length) throw new Error(`only ${bytesRead} bytes of RAM could be read`);
    return this.ram;
  }

  /** Puts bytes on the serial line. */
  send(bytes: Uint8Array): void {
    if (bytes.length > 0) this.process.send(bytes);
  }

  /** Exit code, once {@link step} has said that the guest ended. */
  get exitCode(): Promise<number> {
    return this.process.ended;
  }

  async close(): Promise<void> {
    this.gdb.close();
    this.process.kill();
    await this.ramFile.close();
    await this.process.ended.catch(() => {});
  }

  private async go(how: 's' | 'c'): Promise<boolean> {
    const reply = await this.gdb.request(how).catch(async () => {
      // A guest that ends with a failure takes the stub with it. `ended` reports whatever else ended QEMU.
      await this.process.ended;
      return 'W';
    });
    if (reply.startsWith('T05')) return true;
    if (reply.startsWith('W')) return false;
    throw new Error(`QEMU stopped with ${reply}, and not after a step or at a breakpoint`);
  }

  private async byte(address: number): Promise<number> {
    return Number.parseInt(await this.gdb.request(`m${address.toString(16)},1`), 16);
  }
}

function endedEarly(code: number): never {
  throw new Error(`QEMU ended with ${code} before it was connected to`);
}
