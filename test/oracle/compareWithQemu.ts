import type { ComparedHart } from './comparedHart.js';
import { EmbeddedHart } from './embeddedHart.js';
import type { OracleGuest } from './guest.js';
import { LockStep, type LockStepReport, type Stretch } from './lockStep.js';
import { withPrivateFolder } from './privateFolder.js';
import { QemuHart } from './qemuHart.js';

export interface LockStepOptions extends OracleGuest {
  readonly stretches: readonly Stretch[];
  /** Milliseconds of host time. */
  readonly timeout: number;
  /** The hart to check; by default the embedded hypervisor's. */
  readonly hart?: (guest: OracleGuest) => ComparedHart;
}

/** Runs a guest in lock-step with QEMU. Rejected with the first difference. */
export async function compareWithQemu(options: LockStepOptions): Promise<LockStepReport> {
  const { stretches, timeout, hart = (guest: OracleGuest) => new EmbeddedHart(guest), ...guest } = options;
  return withPrivateFolder(async (folder) => {
    const qemu = await QemuHart.start(guest, folder, timeout);
    try {
      return await new LockStep(qemu, hart(guest)).compare(stretches);
    } finally {
      await qemu.close();
    }
  });
}
