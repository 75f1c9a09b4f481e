import { requireCount } from '../errors.js';
import type { Estimate } from '../numerics/interval.js';
import { normalHalfWidth } from '../numerics/normal.js';
import { exponentialVariate, seededRandom } from '../numerics/random.js';
import { type MarkovChain, requireRecurrent } from './markovChain.js';

/** Minutes. */
export const MAX_CYCLES = 100_000_000;

/** Sums over independent cycles, for the ratio of the mean reward of a cycle to its mean length. */
export class CycleStatistics {
  private cycles = 0;
  private lengths = 0;
  private downs = 0;
  private squares = 0;
  private products = 0;
  private downSquares = 0;

  /** One cycle: how long it took, and for how long of that (in reward lost) the service was down. */
  add(length: number, down: number): void {
    this.cycles++;
    this.lengths += length;
    this.downs += down;
    this.squares += length * length;
    this.products += length * down;
    this.downSquares += down * down;
  }

  /**
   * The unavailability with the interval of the regenerative method: cycles are independent, so their ratio is nearly
   * normal.
   */
  unavailability(confidence: number): Estimate {
    const n = this.cycles;
    const value = this.downs / this.lengths;
    const variance =
      (this.downSquares - 2 * value * this.products + value * value * this.squares) / Math.max(1, n - 1);
    const half = (normalHalfWidth(confidence) * Math.sqrt(Math.max(0, variance) / n)) / (this.lengths / n);
    return { value, low: value - half, high: value + half, confidence };
  }
}

/**
 * Plays the chain for `cycles` returns to its initial state, and estimates the unavailability. Deterministic for a
 * seed. It knows the transitions and nothing of linear algebra.
 */
export function simulateChain(
  chain: MarkovChain,
  { cycles, seed = 1, confidence = 0.95 }: { cycles: number; seed?: number; confidence?: number },
): Estimate {
  requireCount('the number of cycles', cycles, 2, MAX_CYCLES);
  requireRecurrent(chain);
  const random = seededRandom(seed);
  const outgoing = chain.states.map((_, state) => chain.arcs.filter(({ from }) => from === state));
  const exits = outgoing.map((arcs) => arcs.reduce((sum, { rate }) => sum + rate, 0));
  const statistics = new CycleStatistics();
  for (let cycle = 0; cycle < cycles; cycle++) {
    let length = 0;
    let down = 0;
    let state = chain.initial;
    do {
      const stay = exponentialVariate(random, exits[state] as number);
      length += stay;
      down += stay * (1 - (chain.states[state]?.reward ?? 0));
      state = draw(outgoing[state] ?? [], (exits[state] as number) * random());
    } while (state !== chain.initial);
    statistics.add(length, down);
  }
  return statistics.unavailability(confidence);
}

function draw(arcs: MarkovChain['arcs'], at: number): number {
  let left = at;
  for (const { to, rate } of arcs) {
    left -= rate;
    if (left < 0) return to;
  }
  return arcs.at(-1)?.to ?? 0;
}
