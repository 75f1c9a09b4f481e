import { GUESTS, readGuest, type GuestName } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';

export interface GuestRun {
  readonly output: string;
  readonly exitCode: number | undefined;
  readonly guestNs: number;
}

/** After this, every guest has set its UART up. */
const READY = '1ms';

/** Runs a guest to its end, alone. `input` arrives as soon as the guest takes it. */
export async function runGuest(name: GuestName, input = ''): Promise<GuestRun> {
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({
    name,
    elf: readGuest(name),
    memoryBytes: GUESTS[name].memoryBytes,
    input: [{ at: READY, data: new TextEncoder().encode(input) }],
  });
  await hypervisor.run();
  const { exitCode, guestNs, committedOutput } = machine;
  await hypervisor.close();
  return { output: new TextDecoder().decode(committedOutput), exitCode, guestNs };
}
