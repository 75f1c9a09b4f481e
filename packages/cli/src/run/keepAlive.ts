import { LONGEST_TIMER_MS } from '@rmk/core';

/** Keeps the process alive until disposed of. VMs of QEMU, and handlers that never settle, do not. */
export function keepAlive(): Disposable {
  const timer = setInterval(() => {}, LONGEST_TIMER_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
