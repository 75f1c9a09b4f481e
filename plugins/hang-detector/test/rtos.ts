import { readGuest } from '@rmk/guests';
import { pinVmschl } from '@rmk/pin-vmschl';
import { startRig, type Rig } from '@rmk/testing';
import { hangDetector } from '../src/index.js';

/** A real-time kernel whose context switches the hypervisor sees, under the detector. */
export function watchedRtos(options: Parameters<typeof hangDetector>[0]): Promise<Rig> {
  const machine = {
    name: 'rtos',
    elf: readGuest('rtos'),
    memoryBytes: 32 << 20,
    contextSwitch: { symbol: 'current_task' },
  } as const;
  return startRig({ machine, plugins: [pinVmschl(), hangDetector(options)] });
}

/** From here on the running task holds the scheduler forever, while the timer ticks on. */
export async function lockScheduler(rig: Rig): Promise<void> {
  await rig.machine.write(Number(rig.symbol('scheduler_locked')), Uint8Array.of(1, 0, 0, 0));
}
