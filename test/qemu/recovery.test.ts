import type { GuestFault } from '@rmk/hypervisor-qemu';
import { expect, it } from 'vitest';
import { describeLinux } from '../../packages/hypervisor-qemu/test/linuxPresent.js';
import { LinuxUnderTest } from './protectedLinux.js';

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
  {
    fault: 'triple-fault',
    kind: 'crash',
    detector: '@rmk/pin-vmsignal',
    cause: /^triple-fault in machine mode/,
  },
  {
    fault: 'hang',
    kind: 'hang',
    detector: '@rmk/hang-detector',
    cause: /^no sign of progress \(page-written\)/,
  },
  {
    fault: 'halt',
    kind: 'hang',
    detector: '@rmk/hang-detector',
    cause: /^no sign of progress \(page-written\)/,
  },
  { fault: 'spin', kind: 'hang', detector: '@rmk/heartbeat-detector', cause: /./ },
];

describeLinux('Linux in QEMU, protected', (guest) => {
  it.each(FAULTS)('goes on after $fault', { timeout: 120_000 }, async ({ fault, kind, detector, cause }) => {
    const underTest = await LinuxUnderTest.start(guest, 'gzip');
    await underTest.linux.shell.fail(fault);
    const record = await underTest.recovered();
    expect(record).toMatchObject({ rung: 'target', trigger: { kind, detector } });
    expect(record.trigger.cause).toMatch(cause);
    expect(record.pagesRestored).toBeGreaterThan(0);
    await underTest.expectHealthy();
  });

  it('goes on after a bit of its instruction pointer flips', { timeout: 120_000 }, async () => {
    const underTest = await LinuxUnderTest.start(guest, 'perl');
    const { machine } = underTest.linux;
    // In user mode the kernel would only kill the program: no failure of the VM.
    for (;;) {
      await machine.suspend();
      if (((await machine.readRegister('cs')) & 3n) === KERNEL_RING) break;
      await machine.resume();
    }
    await machine.writeRegister('rip', (await machine.readRegister('rip')) ^ ADDRESS_BIT);
    await machine.resume();
    expect(await underTest.recovered()).toMatchObject({ rung: 'target', trigger: { kind: 'crash' } });
    await underTest.expectHealthy();
  });
});
