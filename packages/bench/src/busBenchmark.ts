import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { EMITTERS, type EmitterName, type Emitters, type Wired } from './emitters.js';
import { compileLoad, type Load } from './load.js';
import { spreadOf, type Spread } from './spread.js';

export const LISTENER_COUNTS = [0, 1, 4, 16] as const;

export type ListenerCount = (typeof LISTENER_COUNTS)[number];

export const EMITTER_NAMES = Object.keys(EMITTERS) as readonly EmitterName[];

/** The emitter that the others are compared with, measured in the same rounds. */
export const REFERENCE: EmitterName = 'eventemitter3';

/** An emitter that has to be awaited takes microseconds an event: it publishes so many times fewer of them. */
export const AWAITED_SHARE = 10;

const WARM_UP_ROUNDS = 12;
const NS_PER_MS = 1e6;

export interface BusBenchmarkOptions {
  readonly rounds: number;
  /** Events that each emitter publishes in a round, for each number of listeners. */
  readonly eventsPerRound: number;
  /** Seed of the order in which the emitters are measured. It differs in each round. */
  readonly seed: number;
}

type PerEmitter<T> = Readonly<Record<EmitterName, Readonly<Record<ListenerCount, T>>>>;

export interface BusBenchmarkResult extends BusBenchmarkOptions {
  /** Host time from the creation of an event to the return of its last listener. */
  readonly nsPerEmit: PerEmitter<Spread>;
  /** An emitter's time divided by that of the reference in the same round. */
  readonly ratio: PerEmitter<Spread>;
  /** Emitters whose listeners computed other results than those of the reference. */
  readonly wrong: readonly { readonly emitter: EmitterName; readonly listeners: ListenerCount }[];
}

/** One emitter with its listeners, and what has been measured of it. */
class Contender {
  readonly nsPerEmit: number[] = [];

  private constructor(
    readonly emitter: EmitterName,
    readonly listeners: ListenerCount,
    private readonly load: Load,
    private readonly wired: Wired,
  ) {}

  static async of(emitters: Emitters, emitter: EmitterName, listeners: ListenerCount): Promise<Contender> {
    const load = compileLoad();
    const wired = await emitters[emitter](load.listeners.slice(0, listeners));
    return new Contender(emitter, listeners, load, wired);
  }

  async measure(events: number): Promise<void> {
    const share = this.wired.emit === undefined ? Math.ceil(events / AWAITED_SHARE) : events;
    const before = performance.now();
    await this.publish(share);
    this.nsPerEmit.push(((performance.now() - before) * NS_PER_MS) / share);
  }

  /** The results of the listeners after so many events, starting at zero. */
  async resultsOf(events: number): Promise<string> {
    this.load.results.fill(0);
    await this.publish(events);
    return this.load.results.join();
  }

  async publish(events: number): Promise<void> {
    const { load, wired } = this;
    if (wired.emit === undefined) await load.publishAwaiting(wired.emitAwaited, events);
    else load.publish(wired.emit, events);
  }

  async close(): Promise<void> {
    await this.wired.close?.();
  }
}

/** Measures all emitters with each number of listeners, in turns, in this process. */
export async function busBenchmark(
  options: BusBenchmarkOptions,
  progress: (what: string) => void,
  emitters: Emitters = EMITTERS,
): Promise<BusBenchmarkResult> {
  const { rounds, eventsPerRound, seed } = options;
  const contenders: Contender[] = [];
  for (const listeners of LISTENER_COUNTS) {
    for (const emitter of EMITTER_NAMES) contenders.push(await Contender.of(emitters, emitter, listeners));
  }
  try {
    const random = xoroshiro128plus(seed);
    progress('Warming up');
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
      for (const contender of contenders) await contender.publish(Math.ceil(eventsPerRound / 4));
    }
    for (let round = 1; round <= rounds; round += 1) {
      if ((round - 1) % Math.ceil(rounds / 4) === 0) progress(`Round ${round} of ${rounds}`);
      for (const listeners of LISTENER_COUNTS) {
        const turns = contenders.filter((contender) => contender.listeners === listeners);
        for (const contender of shuffled(turns, random)) await contender.measure(eventsPerRound);
      }
    }
    const wrong = await wrongResults(contenders);
    return {
      ...options,
      nsPerEmit: tabulated(contenders, ({ nsPerEmit }) => spreadOf(nsPerEmit)),
      ratio: tabulated(contenders, (contender) => spreadOf(ratios(contender, contenders))),
      wrong,
    };
  } finally {
    for (const contender of contenders) await contender.close();
  }
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: RandomGenerator): readonly T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(uniformInt(random, 0, left.length - 1), 1));
}

async function wrongResults(contenders: readonly Contender[]): Promise<BusBenchmarkResult['wrong']> {
  const EVENTS = 1000;
  const wrong: { emitter: EmitterName; listeners: ListenerCount }[] = [];
  for (const contender of contenders) {
    const expected = await referenceOf(contender, contenders).resultsOf(EVENTS);
    if ((await contender.resultsOf(EVENTS)) !== expected) wrong.push(contender);
  }
  return wrong.map(({ emitter, listeners }) => ({ emitter, listeners }));
}

function ratios(contender: Contender, contenders: readonly Contender[]): readonly number[] {
  const reference = referenceOf(contender, contenders).nsPerEmit;
  return contender.nsPerEmit.map((ns, round) => ns / (reference[round] ?? Number.NaN));
}

function referenceOf({ listeners }: Contender, contenders: readonly Contender[]): Contender {
  const found = contenders.find((one) => one.emitter === REFERENCE && one.listeners === listeners);
  if (found === undefined)
    throw new Error(`no ${REFERENCE} with ${listeners} listeners among the contenders`);
  return found;
}

function tabulated<T>(contenders: readonly Contender[], cell: (contender: Contender) => T): PerEmitter<T> {
  const rows = EMITTER_NAMES.map((name) => {
    const cells = contenders.filter(({ emitter }) => emitter === name);
    return [name, Object.fromEntries(cells.map((contender) => [contender.listeners, cell(contender)]))];
  });
  return Object.fromEntries(rows) as PerEmitter<T>;
}
