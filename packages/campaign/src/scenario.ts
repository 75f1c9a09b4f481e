import {
  nanoseconds,
  RmkError,
  type Domain,
  type Duration,
  type EventName,
  type Nanoseconds,
  type RmkEvent,
} from '@rmk/core';

/** What {@link Scenario.next} waited for: one of the events, or nothing for so long. */
export type Happened<E extends EventName> =
  { [N in E]: { readonly name: N; readonly event: RmkEvent<N> } }[E] | { readonly name: 'timeout' };

/**
 * A script in the virtual time of a domain, written as a plain async function. Whenever it goes on, from a timer or
 * from an event, the VM is held until it waits again: so it acts at the exact instruction, and repeats exactly.
 */
export class Scenario {
  /** Lets the VM run on. */
  private release: () => void = () => {};

  private constructor(private readonly domain: Domain) {}

  /** Starts the script at the present domain time. */
  static async play<T>(domain: Domain, script: (scenario: Scenario) => Promise<T>): Promise<T> {
    const scenario = new Scenario(domain);
    await scenario.next([], 0);
    try {
      return await script(scenario);
    } finally {
      scenario.release();
    }
  }

  get nowNs(): Nanoseconds {
    return this.domain.clock.now();
  }

  /** `RMK_ERR_STATE` if the guest switches itself off meanwhile, because its time stops then. */
  async wait(by: Duration): Promise<void> {
    const { name } = await this.next(['EVT_VMEXITED'], nanoseconds(by));
    if (name === 'timeout') return;
    throw new RmkError(
      'RMK_ERR_STATE',
      `the guest of ${this.domain.name} ended before the scenario was over`,
    );
  }

  /** The next of these events, or `'timeout'` after that much domain time. */
  next<E extends EventName>(names: readonly E[], timeoutNs: Nanoseconds): Promise<Happened<E>> {
    const happened = new Promise<Happened<E>>((resolve) => {
      const goOn = (what: Happened<E>): Promise<void> => {
        for (const each of waiting) each[Symbol.dispose]();
        return new Promise((released) => {
          this.release = released;
          resolve(what);
        });
      };
      const { bus, clock } = this.domain;
      const waiting = [
        ...names.map((name) => bus.on(name, (event) => goOn({ name, event } as Happened<E>))),
        clock.after(timeoutNs, () => goOn({ name: 'timeout' })),
      ];
    });
    this.release();
    return happened;
  }
}
