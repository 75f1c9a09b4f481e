import { RmkError } from '@rmk/core';
import type { QmpClient, QmpEvent } from './qmpClient.js';

/** An event of QEMU to wait for. Listens from the start, so that it misses none. */
export class AwaitedEvent implements Disposable {
  readonly arrived: Promise<void>;
  private release: () => void = () => undefined;

  /**
   * Rejects with `RMK_ERR_TIMEOUT`, which names `what`, if it does not come in time, with `RMK_ERR_GONE` if QEMU ends.
   */
  constructor(qmp: QmpClient, what: string, limitMs: number, matches: (event: QmpEvent) => boolean) {
    this.arrived = new Promise((resolve, reject) => {
      const listener = qmp.onEvent((event) => {
        if (matches(event)) resolve();
      });
      const timer = setTimeout(() => {
        reject(new RmkError('RMK_ERR_TIMEOUT', `QEMU did not ${what} within ${limitMs} ms`));
      }, limitMs);
      const loss = qmp.onLost(reject);
      this.release = () => {
        clearTimeout(timer);
        listener[Symbol.dispose]();
        loss[Symbol.dispose]();
      };
    });
    // The command that causes the event may fail first, and then nobody waits.
    this.arrived.catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
