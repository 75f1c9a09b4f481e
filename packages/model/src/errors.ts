import { distance } from 'fastest-levenshtein';

/** Every code that the models report, with what it means. What to do about one is said by each error's own message. */
export const MODEL_ERROR_CODES = {
  RMK_ERR_INPUT: 'an argument, a parameter or a setting is invalid',
  RMK_ERR_FILE: 'a file cannot be read, or is not of the form that was asked for',
  RMK_ERR_CHAIN: 'a Markov chain has no steady state, or a rate is not a rate',
  RMK_ERR_NUMERIC: 'a computation would not give a sound number',
  RMK_ERR_MISSING: 'something has to be measured first',
} as const;

export type ModelErrorCode = keyof typeof MODEL_ERROR_CODES;

/** What the models throw for everything that a user can do wrong. The message says what is wrong, where, and how to mend it. */
export class ModelError extends Error {
  readonly code: ModelErrorCode;
  readonly problems: readonly string[];

  constructor(code: ModelErrorCode, message: string, problems: readonly string[] = []) {
    super(`${code}: ${message}${problems.map((problem) => `\n  - ${problem}`).join('')}`);
    this.name = 'ModelError';
    this.code = code;
    this.problems = problems;
  }
}

/** @throws ModelError unless `value` is a finite number above zero. */
export function requirePositive(name: string, value: number): void {
  if (!(Number.isFinite(value) && value > 0)) {
    throw new ModelError('RMK_ERR_INPUT', `${name} must be a finite number above zero, not ${value}`);
  }
}

/** @throws ModelError unless `value` lies strictly between 0 and 1. */
export function requireOpenUnit(name: string, value: number): void {
  if (!(value > 0 && value < 1)) {
    throw new ModelError('RMK_ERR_INPUT', `${name} must lie between 0 and 1, both excluded, not ${value}`);
  }
}

/** @throws ModelError unless `value` is a whole number of at least `least`, and of at most `most`. */
export function requireCount(name: string, value: number, least = 1, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const range =
    most === Number.MAX_SAFE_INTEGER || value < least ? `of at least ${least}` : `of at most ${most}`;
  throw new ModelError('RMK_ERR_INPUT', `${name} must be a whole number ${range}, not ${value}`);
}

/** "; did you mean x?" for the known name that is nearest to `name`, else the list of all known names. */
export function suggestion(name: string, known: readonly string[]): string {
  const nearest = known
    .map((candidate) => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.edits - b.edits)[0];
  // More than half of its letters changed is another name, but for short ones.
  const length = nearest?.candidate.length ?? 0;
  if (nearest !== undefined && nearest.edits <= Math.min(length - 1, Math.max(2, length / 2))) {
    return `; did you mean "${nearest.candidate}"?`;
  }
  return `; known names are ${known.join(', ')}`;
}
