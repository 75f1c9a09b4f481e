import { setTimeout as wait } from 'node:timers/promises';
import { RmkError, type Bus, type RmkEvent, type VirtualMachine } from '@rmk/core';

/** Below the 5 s that vitest gives a test, so that the author reads this and not "Test timed out". */
const LONGEST_HOLD_MS = 3500;
const LOOK_MS = 100;

/** Notices a handler that holds the VM and does not settle. */
export class HoldWatch {
  private pending: RmkEvent<'EVT_PLUGINSLOW'> | undefined;

  constructor(private readonly machine: VirtualMachine) {}

  observe(bus: Bus): void {
    bus.on('EVT_PLUGINSLOW', (slow) => {
      if (slow.isPending === true) this.pending = slow;
    });
  }

  /** Settles as `run` does. Throws RMK_ERR_TIMEOUT, and abandons `run`, if domain time stops for too long. */
  async during(run: Promise<void>): Promise<void> {
    const ended = new AbortController();
    try {
      await Promise.race([run, this.held(ended.signal)]);
    } finally {
      ended.abort();
      // After a failure `run` may still reject, and nobody awaits it any more.
      run.catch(() => {});
    }
  }

  private async held(ended: AbortSignal): Promise<never> {
    const { clock } = this.machine;
    let reachedNs = clock.now();
    let heldMs = 0;
    for (;;) {
      const before = performance.now();
      await wait(LOOK_MS, undefined, { signal: ended }).catch(() => {});
      if (ended.aborted) return new Promise<never>(() => {});
      const nowNs = clock.now();
      // A stretch in which this process was stopped itself counts as one look.
      heldMs = nowNs === reachedNs ? heldMs + Math.min(performance.now() - before, 2 * LOOK_MS) : 0;
      reachedNs = nowNs;
      if (heldMs >= LONGEST_HOLD_MS) throw this.error();
    }
  }

  private error(): RmkError {
    const atMs = this.machine.clock.now() / 1e6;
    const held = `VM ${this.machine.name} has been held at ${atMs} ms for ${LONGEST_HOLD_MS / 1000} s of host time`;
    if (this.pending === undefined) {
      return new RmkError('RMK_ERR_TIMEOUT', `${held}. Something that a handler awaits does not settle.`);
    }
    const { plugin, during } = this.pending;
    return new RmkError(
      'RMK_ERR_TIMEOUT',
      `${held}: the promise that ${plugin} returned in ${during} has not settled. ` +
        'A handler must not await domain time; set a timer and return.',
      { plugin },
    );
  }
}
