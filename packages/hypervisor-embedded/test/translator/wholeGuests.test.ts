import { nanoseconds } from '@rmk/core';
import { readGuest } from '@rmk/guests';
import { describe, expect, it } from 'vitest';
import { EmbeddedHypervisor, type EmbeddedMachine } from '../../src/index.js';

const NO_PRESAVE = { preSave: 'none' } as const;
/** In domain time; no two stretches are of the same length, and none ends where a slice does. */
const STRETCHES = ['17.31ms', '40.07ms', '3.003ms', '61.9ms'] as const;

async function machineOf(guest: Parameters<typeof readGuest>[0], engine: 'interpreter' | 'translator') {
  const hypervisor = new EmbeddedHypervisor({ slice: '1ms' });
  const machine = hypervisor.createMachine({ name: guest, elf: readGuest(guest), engine });
  return { hypervisor, machine };
}

async function outcomeOf(machine: EmbeddedMachine): Promise<unknown> {
  const registers = await Promise.all(machine.registers.map((name) => machine.readRegister(name)));
  return { digest: machine.digest(), registers, atNs: machine.clock.now() };
}

describe.each(['tasks', 'interpreter', 'search'] as const)('the guest %s, translated', (guest) => {
  it('is in the same state as when it is interpreted, at every time, also after a rollback', async () => {
    const outcomes = await Promise.all(
      (['interpreter', 'translator'] as const).map(async (engine) => {
        const { hypervisor, machine } = await machineOf(guest, engine);
        const seen: unknown[] = [];
        for (const stretch of STRETCHES) {
          const { context, log } = await machine.checkpoint(NO_PRESAVE);
          await hypervisor.run({ untilNs: machine.clock.now() + nanoseconds(stretch) });
          seen.push(await outcomeOf(machine));
          await machine.suspend();
          const { pagesRestored } = await machine.rollback({ context, logs: [log] }, NO_PRESAVE);
          await machine.resume();
          seen.push(pagesRestored, await outcomeOf(machine));
          await hypervisor.run({ untilNs: machine.clock.now() + nanoseconds(stretch) });
          seen.push(await outcomeOf(machine));
        }
        await hypervisor.close();
        return seen;
      }),
    );
    expect(outcomes[1]).toEqual(outcomes[0]);
  });
});
