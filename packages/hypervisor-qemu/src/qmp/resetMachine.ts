import { AwaitedEvent } from './awaitedEvent.js';
import type { QmpClient } from './qmpClient.js';

const RESET_TIMEOUT_MS = 10_000;

/** Resets the VM and waits until that is done. A paused VM stays paused. */
export async function resetMachine(qmp: QmpClient): Promise<void> {
  using done = new AwaitedEvent(qmp, 'reset the VM', RESET_TIMEOUT_MS, ({ event }) => event === 'RESET');
  await qmp.execute('system_reset');
  await done.arrived;
}
