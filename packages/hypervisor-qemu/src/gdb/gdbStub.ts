import { RmkError } from '@rmk/core';
import { numberText } from '@rmk/driver';
import { GdbClient } from './gdbClient.js';
import { numberAt } from './remoteSerial.js';
import { describedRegisters, type DescribedRegister } from './targetDescription.js';

const RESPONSE_TIMEOUT_MS = 5000;
/** In hexadecimal still less than the stub's packet size. */
const WRITE_BYTES = 1024;
const PHYSICAL_MEMORY = 'Qqemu.PhyMemMode:';

/**
 * The registers of the vCPU, and memory, through QEMU's gdb stub. Each access has a connection of its own, which pauses
 * the VM: the caller resumes it. On a connection that is kept QEMU would pause the VM at each byte and report every
 * pause.
 */
export class GdbStub {
  private constructor(
    private readonly path: string,
    private readonly registers: ReadonlyMap<string, DescribedRegister>,
  ) {}

  /**
   * Reads the target's description. Throws `RMK_ERR_TIMEOUT`, or `RMK_ERR_HYPERVISOR` if the stub is not as expected.
   */
  static async open(path: string): Promise<GdbStub> {
    const registers = await connected(path, describedRegisters);
    // This driver does not understand a description without sizes.
    const usable = new Map([...registers].filter(([, { bits }]) => bits > 0 && bits % 8 === 0));
    if (usable.size > 0) return new GdbStub(path, usable);
    throw new RmkError('RMK_ERR_HYPERVISOR', `the gdb stub at ${path} describes no register`);
  }

  get names(): readonly string[] {
    return [...this.registers.keys()];
  }

  /** Throws `RMK_ERR_UNKNOWN` if the vCPU has no such register. */
  async read(name: string): Promise<bigint> {
    const { number, bits } = this.register(name);
    return connected(this.path, async (gdb) => {
      await gdb.description('target.xml');
      return numberAt(await gdb.request(`p${number.toString(16)}`), bits);
    });
  }

  /** Throws `RMK_ERR_UNKNOWN` if the vCPU has no such register, `RMK_ERR_INPUT` if the value does not fit. */
  async write(name: string, value: bigint): Promise<void> {
    const { number, bits } = this.register(name);
    if (value < 0n || value >> BigInt(bits) !== 0n) {
      throw new RmkError('RMK_ERR_INPUT', `register ${name} has ${bits} bits: ${value} does not fit`);
    }
    await connected(this.path, async (gdb) => {
      await gdb.description('target.xml');
      await gdb.command(`P${number.toString(16)}=${numberText(value, bits)}`);
    });
  }

  /**
   * Writes guest-physical memory; QEMU drops translated code at that address. Throws `RMK_ERR_HYPERVISOR` outside of
   * RAM.
   */
  async writeMemory(address: number, data: Uint8Array): Promise<void> {
    await connected(this.path, async (gdb) => {
      // QEMU keeps this mode beyond the connection.
      await gdb.command(`${PHYSICAL_MEMORY}1`);
      try {
        for (let at = 0; at < data.length; at += WRITE_BYTES) {
          const piece = data.subarray(at, at + WRITE_BYTES);
          const hex = Buffer.from(piece).toString('hex');
          await gdb.command(`M${(address + at).toString(16)},${piece.length.toString(16)}:${hex}`);
        }
      } finally {
        await gdb.command(`${PHYSICAL_MEMORY}0`);
      }
    });
  }

  private register(name: string): DescribedRegister {
    const register = this.registers.get(name);
    if (register !== undefined) return register;
    throw new RmkError(
      'RMK_ERR_UNKNOWN',
      `the vCPU has no register ${JSON.stringify(name)}; it has ${this.names.join(', ')}`,
    );
  }
}

async function connected<T>(path: string, work: (gdb: GdbClient) => Promise<T>): Promise<T> {
  const gdb = await GdbClient.connect(path, {
    responseTimeoutMs: RESPONSE_TIMEOUT_MS,
    stopReplies: 'ignored',
  });
  try {
    return await work(gdb);
  } finally {
    gdb.close();
  }
}
