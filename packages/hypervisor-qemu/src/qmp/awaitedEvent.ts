import { RmkError } from '@rmk/core';
import type { QmpClient, QmpEvent } from './qmpClient.js';

/** An event of QEMU that somebody waits for; listened for from the start, so that none is missed. */
export class AwaitedEvent implements Disposable {
  readonly arrived: Promise<void>;
  private release: () => void = () => undefined;

  /** `what`: of `RMK_ERR_TIMEOUT`, where it does not come in time. `RMK_ERR_GONE` where QEMU ends before. */
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
    // What leads to the event may fail first, and then nobody waits any more.
    this.arrived.catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
