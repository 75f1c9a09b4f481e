import { PAGE_BYTES, type Checkpointed } from '@rmk/core';
import { RAM_BASE, type EmbeddedMachine } from '@rmk/hypervisor-embedded';
import type { Protection } from './testedGuest.js';

const NO_PRESAVE = { preSave: 'none' } as const;

/** All of the guest's memory is copied in each interval. */
export function fullCopy(intervalMs: number): Protection {
  return {
    name: 'full copy',
    intervalMs,
    start: (machine) => {
      const copies = [memoryOf(machine), memoryOf(machine)];
      let turn = 0;
      machine.clock.every(intervalMs * 1e6, async () => {
        copies[turn++ % 2]?.set(await machine.read(RAM_BASE, machine.memoryPages * PAGE_BYTES));
      });
    },
  };
}

/**
 * The pages that were written are copied while the guest is paused, as Remus does. They are found by write protection,
 * so each costs a page fault in which its prior contents are saved too: that is how the driver logs.
 */
export function stopAndCopy(intervalMs: number): Protection {
  return {
    name: 'stop and copy',
    intervalMs,
    start: (machine) => {
      const copy = memoryOf(machine);
      let last: Checkpointed | undefined;
      machine.clock.every(intervalMs * 1e6, async () => {
        const taken = await machine.checkpoint(NO_PRESAVE);
        for (const frame of taken.closed?.updated ?? []) {
          const offset = frame * PAGE_BYTES;
          copy.set(await machine.read(RAM_BASE + offset, PAGE_BYTES), offset);
        }
        last?.log.release();
        last?.context.release();
        last = taken;
      });
    },
  };
}

function memoryOf({ memoryPages }: EmbeddedMachine): Uint8Array {
  return new Uint8Array(memoryPages * PAGE_BYTES);
}
