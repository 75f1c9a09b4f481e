import { spread } from '../availability/sweep.js';
import { latencyOf, type Parameters } from '../availability/parameters.js';
import { availabilityOf } from '../availability/study.js';
import type { Setting } from '../availability/variant.js';
import { HOURS_PER_YEAR } from '../chain/measures.js';
import { empiricalLatency } from '../corruption/empiricalLatency.js';
import type { LatencySample } from '../corruption/latencySample.js';
import { sampleCorruption, unseenBound } from '../corruption/sampleCorruption.js';
import { ModelError, requireCount } from '../errors.js';
import { type Estimate, percentileInterval } from '../numerics/interval.js';
import { normalHalfWidth } from '../numerics/normal.js';
import { type Random, seededRandom } from '../numerics/random.js';
import { type SlowdownCurve, slowdownAt } from './slowdown.js';

export interface AdviceInput {
  readonly parameters: Parameters;
  readonly slowdown: SlowdownCurve;
  /** Measured corruption latencies; without them the parameters' latency is used, with no uncertainty. */
  readonly samples?: readonly LatencySample[];
  /** How much a slowdown counts: 1 counts work done, 0 only availability. */
  readonly weight?: number;
  readonly maxRetained?: number;
  /** The most work, in ms, that a rollback may throw away: intervals and histories with k T above it are left out. */
  readonly maxLostWorkMs?: number;
  /** How often the inputs are redrawn for the uncertainty. */
  readonly draws?: number;
  readonly seed?: number;
}

/** An interval and a history, with what they give. */
export interface Choice {
  readonly intervalMs: number;
  readonly retained: number;
  /** T_B for which the rule retains so many: (retained - 1) T_ck. */
  readonly boundMs: number;
  readonly availability: number;
  readonly slowdown: number;
  /** availability / (1 + slowdown)^weight. */
  readonly utility: number;
}

export interface Advice {
  readonly recommendation: Choice & {
    /** pc there, with the interval that the samples give it. */
    readonly corruption: Estimate;
    readonly downtimeMinutesPerYear: number;
  };
  /** The best interval for each history. */
  readonly histories: readonly Choice[];
  /** The recommended history over all intervals, with the 95 % interval of the utility. */
  readonly curve: readonly (Choice & { readonly low: number; readonly high: number })[];
  readonly uncertainty: {
    /** Which inputs had an uncertainty; where there are none, low and high are the values themselves. */
    readonly from: readonly ('latency samples' | 'slowdown')[];
    readonly availability: Estimate;
    readonly utility: Estimate;
    /** The best interval, in ms, for the recommended history. */
    readonly intervalMs: Estimate;
    readonly draws: number;
  };
  /** What to keep in mind about this advice. */
  readonly notes: readonly string[];
}

/** A longer history has to add at least this much of the utility: half a minute a year. */
const WORTHWHILE = 1e-6;
const CURVE_POINTS = 60;

/**
 * The interval and the history that give the most work done: availability over (1 + slowdown)^weight, maximised over
 * the measured range of intervals, with the smallest history that comes within a millionth of the best.
 *
 * The uncertainty is that of the inputs that have one: the latencies are resampled, and each slowdown is drawn from the
 * normal distribution whose 95 % interval is its low and high.
 *
 * Throws RMK_ERR_INPUT if the bound on the lost work leaves no interval.
 */
export function advise(input: AdviceInput): Advice {
  const { parameters, slowdown, samples, weight = 1, maxRetained = 8, maxLostWorkMs = Infinity } = input;
  const { draws = 100, seed = 1 } = input;
  requireCount('the longest history', maxRetained, 1, 1000);
  requireCount('the number of draws', draws, 2, 10_000);
  if (!(weight >= 0 && weight < Infinity)) {
    throw new ModelError('RMK_ERR_INPUT', `the weight of the slowdown must be zero or more, not ${weight}`);
  }
  const setting: Setting =
    samples === undefined ? { parameters } : { parameters, latency: empiricalLatency(samples) };
  const intervals = candidates(slowdown);
  const evaluate = (each: Setting, curve: SlowdownCurve, intervalMs: number, retained: number): Choice => {
    const availability = availabilityOf('k', {
      ...each,
      parameters: { ...each.parameters, intervalMs, retained },
    });
    const loss = slowdownAt(curve, intervalMs);
    return {
      intervalMs,
      retained,
      boundMs: (retained - 1) * intervalMs,
      availability,
      slowdown: loss,
      utility: availability / (1 + loss) ** weight,
    };
  };
  const allowed = (retained: number) => {
    const longest = maxLostWorkMs / retained;
    const measured = (intervalMs: number) =>
      intervalMs >= (intervals[0] ?? 0) && intervalMs <= (intervals.at(-1) ?? 0);
    const within = intervals.filter((intervalMs) => intervalMs < longest);
    return measured(longest) ? [...within, longest] : within;
  };
  const histories: Choice[] = [];
  for (let retained = 1; retained <= maxRetained; retained++) {
    const choices = allowed(retained).map((intervalMs) => evaluate(setting, slowdown, intervalMs, retained));
    if (choices.length > 0) histories.push(best(choices));
  }
  if (histories.length === 0) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `no measured interval loses at most ${maxLostWorkMs} ms of work: the shortest is ${intervals[0] ?? 0} ms; measure shorter ones`,
    );
  }
  const most = best(histories).utility;
  if (most === 0) {
    throw new ModelError(
      'RMK_ERR_NUMERIC',
      `with the weight ${weight} every slowdown is worth nothing at all`,
    );
  }
  const chosen = histories.find(({ utility }) => utility >= most * (1 - WORTHWHILE)) ?? best(histories);
  const shown = allowed(chosen.retained);

  const random = seededRandom(seed);
  const from = sourcesOf(input);
  const utilities = shown.map(() => new Float64Array(draws));
  const optima = new Float64Array(draws);
  const availabilities = new Float64Array(draws);
  const chosenUtilities = new Float64Array(draws);
  for (let draw = 0; draw < draws && from.length > 0; draw++) {
    const drawn = {
      parameters,
      ...(samples === undefined ? {} : { latency: resampled(samples, random) }),
    };
    const curve = redrawn(slowdown, random);
    const choices = shown.map((intervalMs) => evaluate(drawn, curve, intervalMs, chosen.retained));
    for (const [index, { utility }] of choices.entries()) (utilities[index] as Float64Array)[draw] = utility;
    const same = choices.find(({ intervalMs }) => intervalMs === chosen.intervalMs) ?? chosen;
    optima[draw] = best(choices).intervalMs;
    availabilities[draw] = same.availability;
    chosenUtilities[draw] = same.utility;
  }
  const interval = (value: number, drawn: Float64Array): Estimate =>
    from.length === 0
      ? { value, low: value, high: value, confidence: 0.95 }
      : percentileInterval(value, drawn);
  const withCorruption = ({ intervalMs, retained, slowdown: loss }: Choice, corruption: number) => {
    const availability = availabilityOf(
      'k',
      { ...setting, parameters: { ...parameters, intervalMs, retained } },
      corruption,
    );
    return { availability, utility: availability / (1 + loss) ** weight };
  };
  const corruption = corruptionOf(input, chosen);
  const [worst, clean] = [withCorruption(chosen, corruption.high), withCorruption(chosen, corruption.low)];
  const availability = interval(chosen.availability, availabilities);
  const utility = interval(chosen.utility, chosenUtilities);
  return {
    recommendation: {
      ...chosen,
      corruption,
      downtimeMinutesPerYear: (1 - chosen.availability) * HOURS_PER_YEAR * 60,
    },
    histories,
    curve: shown.map((intervalMs, index) => {
      const choice = evaluate(setting, slowdown, intervalMs, chosen.retained);
      const { low, high } = interval(choice.utility, utilities[index] as Float64Array);
      if (samples === undefined) return { ...choice, low, high };
      // Resampling never shows what no sample showed, and that many samples can hide this much, corrupted or clean.
      const unseen = unseenBound(samples.length);
      return {
        ...choice,
        low: Math.min(low, withCorruption(choice, unseen).utility),
        high: Math.max(high, withCorruption(choice, 1 - unseen).utility),
      };
    }),
    uncertainty: {
      from,
      availability: {
        ...availability,
        low: Math.min(availability.low, worst.availability),
        high: Math.max(availability.high, clean.availability),
      },
      utility: {
        ...utility,
        low: Math.min(utility.low, worst.utility),
        high: Math.max(utility.high, clean.utility),
      },
      intervalMs: interval(chosen.intervalMs, optima),
      draws: from.length === 0 ? 0 : draws,
    },
    notes: notesOn(input, chosen, histories, corruption),
  };
}

function corruptionOf({ samples, parameters }: AdviceInput, { intervalMs, retained }: Choice): Estimate {
  if (samples !== undefined) return sampleCorruption(samples, intervalMs, retained);
  const value = latencyOf(parameters).corruption(intervalMs, retained);
  return { value, low: value, high: value, confidence: 0.95 };
}

function notesOn(
  { slowdown, samples, maxRetained = 8, maxLostWorkMs = Infinity }: AdviceInput,
  { intervalMs, retained }: Choice,
  histories: readonly Choice[],
  corruption: Estimate,
): readonly string[] {
  const notes: string[] = [];
  const [shortest, longest] = [slowdown[0]?.intervalMs, slowdown.at(-1)?.intervalMs];
  if (shortest === longest) {
    notes.push('one interval was measured, so only the history was chosen: measure the slowdown at others');
  } else if (intervalMs === longest && retained * intervalMs < maxLostWorkMs) {
    notes.push(`${intervalMs} ms is the longest interval measured: a longer one may be better still`);
  } else if (intervalMs === shortest) {
    notes.push(`${intervalMs} ms is the shortest interval measured: a shorter one may be better still`);
  }
  if (retained === maxRetained && histories.length > 1) {
    notes.push(`the history is as long as --max-retained allows (${maxRetained})`);
  }
  if (samples !== undefined && corruption.value === 0) {
    notes.push(
      `none of the ${samples.length} errors lasted long enough to corrupt this history; more errors would narrow pc, which is at most ${corruption.high.toPrecision(2)}`,
    );
  }
  return notes;
}

/** The measured intervals, and others between them. */
function candidates(slowdown: SlowdownCurve): readonly number[] {
  const measured = slowdown.map(({ intervalMs }) => intervalMs);
  const [first = 1, last = 1] = [measured[0], measured.at(-1)];
  if (first === last) return measured;
  return [...new Set([...measured, ...spread(first, last, CURVE_POINTS, true)])].toSorted((a, b) => a - b);
}

function best(choices: readonly Choice[]): Choice {
  return choices.reduce((most, choice) => (choice.utility > most.utility ? choice : most));
}

function sourcesOf({ samples, slowdown }: AdviceInput): Advice['uncertainty']['from'] {
  const bounded = slowdown.some(({ low, high }) => low !== undefined && high !== undefined);
  return [
    ...(samples === undefined ? [] : (['latency samples'] as const)),
    ...(bounded ? (['slowdown'] as const) : []),
  ];
}

function resampled(samples: readonly LatencySample[], random: Random) {
  return empiricalLatency(samples.map(() => samples[Math.floor(random() * samples.length)] as LatencySample));
}

function redrawn(curve: SlowdownCurve, random: Random): SlowdownCurve {
  return curve.map((point) => {
    if (point.low === undefined || point.high === undefined) return point;
    const deviation = (point.high - point.low) / (2 * normalHalfWidth(0.95));
    const normal = Math.sqrt(-2 * Math.log1p(-random())) * Math.cos(2 * Math.PI * random());
    return { ...point, slowdown: Math.max(-0.99, point.slowdown + deviation * normal) };
  });
}
