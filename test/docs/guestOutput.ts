import { readFileSync } from 'node:fs';
import { bootFile, GUESTS, readGuest } from '@rmk/guests';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';

/** What a guest prints when it runs alone, to its end. */
export async function guestOutput(name: string, boot: string | undefined): Promise<string> {
  const guest = (Object.keys(GUESTS) as (keyof typeof GUESTS)[]).find((known) => known === name);
  if (guest === undefined) throw new Error(`there is no guest "${name}"`);
  const hypervisor = new EmbeddedHypervisor();
  const machine = hypervisor.createMachine({
    name,
    elf: readGuest(guest),
    memoryBytes: GUESTS[guest].memoryBytes,
    bootData: boot === undefined ? [] : [bootFile(readFileSync(boot), boot)],
  });
  await hypervisor.run();
  const { committedOutput } = machine;
  await hypervisor.close();
  return new TextDecoder().decode(committedOutput);
}
