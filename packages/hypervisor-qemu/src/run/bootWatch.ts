import { nanoseconds, RmkError, type Duration } from '@rmk/core';
import type { QemuMachine } from '../qemuMachine.js';

export interface Ready {
  readonly device: string;
  readonly text: string;
  readonly within: Duration;
}

/** Of the output of the device, shown if the guest fails. */
const TAIL_CHARACTERS = 2000;

/** Watches the output of a booting guest, and its first failure. */
export class BootWatch {
  private tail = '';
  private failure: string | undefined;
  private seen = false;
  private readonly observers: readonly Disposable[];
  private readonly waiting: (() => void)[] = [];

  /** Starts to watch. */
  constructor(
    private readonly machine: QemuMachine,
    private readonly ready: Ready,
  ) {
    const text = new TextDecoder();
    const fail = (what: string): void => {
      this.failure ??= what;
      this.wake();
    };
    this.observers = [
      machine.observe('output', ({ device, data }) => {
        if (device !== ready.device || this.seen) return;
        this.tail += text.decode(data, { stream: true });
        this.seen = this.tail.includes(ready.text);
        if (this.seen) this.wake();
        else this.tail = this.tail.slice(-TAIL_CHARACTERS - ready.text.length);
      }),
      machine.observe('signal', ({ cause }) => fail(`the guest failed (${cause})`)),
      machine.observe('exited', () => fail('the guest switched itself off')),
      machine.observe('gone', ({ reason }) => fail(reason)),
    ];
  }

  /**
   * Throws `RMK_ERR_HYPERVISOR` if the guest fails or takes too long, with the end of its output; the reason of
   * `signal` if that aborts.
   */
  async untilReady(signal?: AbortSignal): Promise<void> {
    const { device, text, within } = this.ready;
    const timer = setTimeout(
      () => {
        this.failure ??= `the text ${JSON.stringify(text)} did not come from ${device} within ${within}`;
        this.wake();
      },
      nanoseconds(within) / 1e6,
    );
    const aborted = (): void => this.wake();
    signal?.addEventListener('abort', aborted);
    try {
      while (!this.seen && this.failure === undefined) {
        signal?.throwIfAborted();
        await new Promise<void>((resolve) => this.waiting.push(resolve));
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    }
    if (this.seen) return;
    throw new RmkError(
      'RMK_ERR_HYPERVISOR',
      `VM ${JSON.stringify(this.machine.name)} did not boot: ${this.failure ?? ''}. ` +
        `The last output of ${device}: ${this.tail.trim().slice(-TAIL_CHARACTERS) || '(nothing)'}`,
    );
  }

  dispose(): void {
    for (const observer of this.observers) observer[Symbol.dispose]();
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
