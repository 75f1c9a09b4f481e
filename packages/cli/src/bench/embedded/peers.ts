import { PAGE_BYTES, type Checkpointed } from '@rmk/core';
import { RAM_BASE } from '@rmk/hypervisor-embedded';
import type { Protection } from './testedGuest.js';

const NO_PRESAVE = { preSave: 'none' } as const;

/** All of the guest's memory is copied in each interval. */
export function fullCopy(intervalMs: number): Protection {
  return {
    name: 'full copy',
    intervalMs,
    start: (machine) => {
      const copies: Uint8Array[] = [];
      let turn = 0;
      return machine.clock.every(intervalMs * 1e6, async () => {
        copies[turn++ % 2] = await machine.read(RAM_BASE, machine.memoryPages * PAGE_BYTES);
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
      const copy = new Map<number, Uint8Array>();
      let last: Checkpointed | undefined;
      const release = (): void => {
        last?.log.release();
        last?.context.release();
      };
      const timer = machine.clock.every(intervalMs * 1e6, async () => {
        const taken = await machine.checkpoint(NO_PRESAVE);
        for (const frame of taken.closed?.updated ?? [])
          copy.set(frame, await machine.read(RAM_BASE + frame * PAGE_BYTES, PAGE_BYTES));
        release();
        last = taken;
      });
      return {
        [Symbol.dispose]: () => {
          timer[Symbol.dispose]();
          release();
        },
      };
    },
  };
}
