import type { GuestFault } from '@rmk/hypervisor-qemu';
import { expect, it } from 'vitest';
import { describeLinux } from '../../packages/hypervisor-qemu/test/linuxPresent.js';
import { ProtectedLinux } from './protectedLinux.js';

/** Of a canonical address in the kernel's half: with it flipped no address is canonical. */
const ADDRESS_BIT = 1n << 50n;
const KERNEL_RING = 0n;

interface Fault {
  readonly fault: GuestFault;
  readonly kind: 'crash' | 'hang';
  readonly detector: string;
  readonly cause: RegExp;
}

const FAULTS: readonly Fault[] = [
  { fault: 'panic', kind: 'crash', detector: '@rmk/pin-vmsignal', cause: /^panic in kernel mode/ },
  { fault: 'oops', kind: 'crash', detector: '@rmk/pin-vmsignal', cause: /^panic in kernel mode/ },
  { fault: 'bug', kind: 'crash', detector: '@rmk/pin-vmsignal', cause: /^panic in kernel mode/ },
  { fault: 'triple-fault', kind: 'crash', detector: '@rmk/pin-vmsignal', cause: /^reset in machine mode/ },
  { fault: 'hang', kind: 'hang', detector: '@rmk/hang-detector', cause: /no page-written/ },
  { fault: 'halt', kind: 'hang', detector: '@rmk/hang-detector', cause: /no page-written/ },
  { fault: 'spin', kind: 'hang', detector: '@rmk/heartbeat-detector', cause: /./ },
];

describeLinux('Linux in QEMU, protected', (guest) => {
  it.each(FAULTS)('goes on after $fault', { timeout: 120_000 }, async ({ fault, kind, detector, cause }) => {
    const linux = await ProtectedLinux.start(guest);
    await linux.work('gzip');
    await linux.shell.fail(fault);
    const record = await linux.recovered();
    expect(record).toMatchObject({ rung: 'target', trigger: { kind, detector } });
    expect(record.trigger.cause).toMatch(cause);
    expect(record.pagesRestored).toBeGreaterThan(0);
    await linux.expectWell('gzip');
  });

  it('goes on after a bit of its instruction pointer flips', { timeout: 120_000 }, async () => {
    const linux = await ProtectedLinux.start(guest);
    const { machine } = linux;
    await linux.work('perl');
    // In a program of the guest the kernel would end that program, and go on: no failure of the VM.
    for (;;) {
      await machine.suspend();
      if (((await machine.readRegister('cs')) & 3n) === KERNEL_RING) break;
      await machine.resume();
    }
    await machine.writeRegister('rip', (await machine.readRegister('rip')) ^ ADDRESS_BIT);
    await machine.resume();
    expect(await linux.recovered()).toMatchObject({ rung: 'target', trigger: { kind: 'crash' } });
    await linux.expectWell('perl');
  });
});
