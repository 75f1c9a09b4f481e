import {
  hasCode,
  VIRTUAL_MACHINE,
  type Checkpointed,
  type Clock,
  type Context,
  type Facts,
  type Nanoseconds,
  type PageLog,
  type Plugin,
  type Token,
  type VirtualMachine,
} from '@rmk/core';
import { at } from './timeline.js';

/** Something that was taken of a VM, and where in the code. */
interface Taken {
  readonly label: string;
  readonly frames: readonly string[];
}

const STACK_DEPTH = 60;

/**
 * Stands before a VM and remembers what is taken of it through the domain: timers, observers of facts, page logs, the
 * hold. What plugins register with the kernel is released with them; what remains here went past the kernel.
 */
export class LeakWatch {
  /** The VM to make the domain with. */
  readonly machine: VirtualMachine;
  private readonly taken = new Set<Taken>();
  private readonly logs = new Map<PageLog, Taken>();
  private readonly contexts = new Map<Context, Taken>();
  private pending: () => Promise<void> | undefined = () => undefined;

  constructor(private readonly real: VirtualMachine) {
    this.machine = this.before(real);
  }

  /**
   * The problem if the VM is held for longer than `limitMs`. Call it before the domain stops, which ends every hold. If
   * a plugin is the one that holds the VM, stopping the domain reports it by name.
   */
  async heldFor(limitMs: number): Promise<string | undefined> {
    const untilHostMs = performance.now() + limitMs;
    for (let held = this.pending(); held !== undefined; held = this.pending()) {
      if (await isPendingUntil(held, untilHostMs)) {
        return `the VM ${this.real.name} is still held: a promise of a handler or timer was never settled`;
      }
    }
    return undefined;
  }

  /**
   * What has not been given back: call it when the domain has stopped, and before the VM is closed. Each names the
   * plugin out of `plugins` whose code took it, if that is known, and the place.
   */
  async leaks(plugins: readonly Plugin[]): Promise<readonly string[]> {
    // What no plugin has asked for is the test's own.
    const handles = [...(await this.unreleasedLogs()), ...this.unreleasedContexts()].filter((one) =>
      ownersOf(one, plugins).some((plugin) => !isPin(plugin)),
    );
    const left = [...this.taken, ...handles];
    return left.map(
      (one) => `${ownerOf(one, plugins)} left ${one.label} on the VM ${this.real.name}, taken ${siteOf(one)}`,
    );
  }

  private async unreleasedLogs(): Promise<readonly Taken[]> {
    const logs = await Promise.all(
      Array.from(this.logs, async ([log, one]) => ((await isReleased(log)) ? [] : [one])),
    );
    return logs.flat();
  }

  /** Of drivers whose contexts know, such as the fake machine. Others free the bytes with the last reference. */
  private unreleasedContexts(): readonly Taken[] {
    return Array.from(this.contexts)
      .filter(([context]) => 'isReleased' in context && context.isReleased === false)
      .map(([, one]) => one);
  }

  private before(real: VirtualMachine): VirtualMachine {
    const clock = this.watchedClock(real.clock);
    const own: Partial<VirtualMachine> = {
      clock,
      observe: <F extends keyof Facts>(fact: F, observer: (what: Facts[F]) => void) =>
        this.disposable(`an observer of the fact ${fact}`, () => real.observe(fact, observer)),
      holdWhile: (pending) => {
        this.pending = pending;
        real.holdWhile(pending);
      },
      checkpoint: (plan) => this.logged(() => real.checkpoint(plan)),
      rollback: (to, plan) => this.logged(() => real.rollback(to, plan)),
      extension: <T>(of: Token<T>): T | undefined => {
        const found: unknown = real.extension(of);
        // The driver's own face has the same timers and observers.
        return (found === real ? this.machine : found) as T | undefined;
      },
    };
    return new Proxy(real, {
      get(_, property) {
        if (Object.hasOwn(own, property)) return Reflect.get(own, property) as unknown;
        const value: unknown = Reflect.get(real, property, real);
        return typeof value === 'function' ? (value.bind(real) as unknown) : value;
      },
    });
  }

  private watchedClock(real: Clock): Clock {
    return {
      now: () => real.now(),
      after: (delayNs: Nanoseconds, run) => {
        let fired = (): void => undefined;
        const timer = this.disposable(`a timer of ${at(delayNs)}`, (spent) => {
          fired = spent;
          return real.after(delayNs, () => {
            fired();
            return run();
          });
        });
        return timer;
      },
      every: (intervalNs: Nanoseconds, run) =>
        this.disposable(`a timer each ${at(intervalNs)}`, () => real.every(intervalNs, run)),
    };
  }

  private disposable(label: string, acquire: (spent: () => void) => Disposable): Disposable {
    const one = { label, frames: framesHere() };
    const acquired = acquire(() => void this.taken.delete(one));
    this.taken.add(one);
    return {
      [Symbol.dispose]: () => {
        this.taken.delete(one);
        acquired[Symbol.dispose]();
      },
    };
  }

  private async logged<C extends Checkpointed>(take: () => Promise<C>): Promise<C> {
    const frames = framesHere();
    const checkpointed = await take();
    const checkpoint = `the checkpoint at ${at(checkpointed.atNs)}`;
    this.logs.set(checkpointed.log, { label: `the page log of ${checkpoint}`, frames });
    this.contexts.set(checkpointed.context, { label: `the context of ${checkpoint}`, frames });
    return checkpointed;
  }
}

async function isPendingUntil(promise: Promise<void>, untilHostMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const elapsed = new Promise<true>((resolve) => {
    timer = setTimeout(() => resolve(true), Math.max(0, untilHostMs - performance.now()));
  });
  try {
    return await Promise.race([elapsed, promise.then(() => false)]);
  } finally {
    clearTimeout(timer);
  }
}

async function isReleased(log: PageLog): Promise<boolean> {
  try {
    await log.frames();
    return false;
  } catch (error) {
    if (hasCode(error, 'RMK_ERR_RELEASED')) return true;
    throw error;
  }
}

function framesHere(): readonly string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = STACK_DEPTH;
  const { stack = '' } = new Error('taken here');
  Error.stackTraceLimit = stackTraceLimit;
  return stack
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/^at (?:async |new )*/, ''));
}

/** The innermost plugin on the stack; but a pin takes what another has asked it for. */
function ownerOf(one: Taken, plugins: readonly Plugin[]): string {
  const owners = ownersOf(one, plugins);
  const owner = owners.find((plugin) => !isPin(plugin)) ?? owners[0];
  return owner?.definition.name ?? 'a plugin';
}

/** Those whose classes are on the stack, the innermost first. */
function ownersOf({ frames }: Taken, plugins: readonly Plugin[]): readonly Plugin[] {
  return frames.flatMap(
    (frame) =>
      plugins.find(({ definition }) =>
        classNames(definition).some((name) => name !== '' && frame.startsWith(`${name}.`)),
      ) ?? [],
  );
}

function isPin({ definition: { requires = [], provides = [] } }: Plugin): boolean {
  return provides.length > 0 && requires.includes(VIRTUAL_MACHINE);
}

function classNames({ modules = [], provides = [] }: Plugin['definition']): readonly string[] {
  return [...modules, ...provides.map(({ by }) => by)].map(({ name }) => name);
}

/** The innermost place that is not the kernel's or this file's. */
function siteOf({ frames }: Taken): string {
  const site = frames.find(
    (frame) => !/(?:leakWatch\.[jt]s|[\\/]kernel[\\/](?:src|dist)[\\/]|^Reflect\.|^node:)/.test(frame),
  );
  return site === undefined ? 'at an unknown place' : `in ${site}`;
}
