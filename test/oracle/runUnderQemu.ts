import type { OracleGuest } from './guest.js';
import { withPrivateFolder } from './privateFolder.js';
import { countedTime, QemuProcess } from './qemuProcess.js';

/** What can be seen of a run from outside. */
export interface WholeRun {
  /** As the guest's finisher wrote it, modulo 256: that is what an operating system passes on. */
  readonly exitCode: number;
  readonly output: Uint8Array;
}

export interface WholeRunOptions extends OracleGuest {
  /** Milliseconds of host time. */
  readonly timeout: number;
}

/** 8 ns an instruction: the power of two that is nearest to the 10 ns of the embedded hart. */
const SHIFT = 3;

/**
 * Runs a guest to its end under `qemu-system-riscv32 -M virt -bios none`. Rejected where QEMU fails, or where the guest
 * does not switch itself off in time.
 */
export async function runUnderQemu({ timeout, ...guest }: WholeRunOptions): Promise<WholeRun> {
  return withPrivateFolder(async (folder) => {
    const qemu = await QemuProcess.start(guest, folder, { args: countedTime(SHIFT), timeout });
    const { input } = guest;
    if (input !== undefined) qemu.sendAfterFirstOutput(input);
    const exitCode = await qemu.ended;
    return { exitCode, output: qemu.output };
  });
}
