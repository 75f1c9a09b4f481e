import { distance } from 'fastest-levenshtein';

/** The codes of RMK that the models use, with their meaning here. */
export const MODEL_ERROR_CODES = {
  RMK_ERR_INPUT: 'an argument, a file or a setting is invalid',
  RMK_ERR_CHAIN: 'a Markov chain is malformed, or lacks what was asked of it',
  RMK_ERR_NUMERIC: 'a computation would not give a sound number',
} as const;

export type ModelErrorCode = keyof typeof MODEL_ERROR_CODES;

/** One thing that is wrong, and where: a path in a file, a line, or nothing. */
export interface ModelProblem {
  readonly path: string;
  readonly message: string;
}

/** What marks an RmkError across packages and their copies. */
const BRAND: unique symbol = Symbol.for('@rmk/core:RmkError') as never;

/**
 * The error of every invalid input to the models. The reason says what is wrong, where, and how to fix it.
 *
 * This package imports nothing of RMK, so the class is its own. It has the codes, the fields and the mark of an
 * `RmkError`, and so is one for `hasCode` and for `instanceof RmkError`.
 */
export class ModelError extends Error {
  readonly code: ModelErrorCode;
  /** The message without the code and the problems. */
  readonly reason: string;
  readonly plugin = undefined;
  readonly problems: readonly ModelProblem[];
  readonly [BRAND] = true;

  constructor(code: ModelErrorCode, reason: string, problems: readonly ModelProblem[] = []) {
    const list = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
    const [only = '', ...others] = list;
    super(
      `${code}: ${reason}${others.length > 0 ? list.map((each) => `\n  - ${each}`).join('') : only === '' ? '' : `: ${only}`}`,
    );
    this.name = 'ModelError';
    this.code = code;
    this.reason = reason;
    this.problems = problems;
  }
}

/** Throws RMK_ERR_INPUT unless `value` is a finite number above zero. */
export function requirePositive(name: string, value: number): void {
  if (!(Number.isFinite(value) && value > 0)) {
    throw new ModelError('RMK_ERR_INPUT', `${name} must be a finite number above zero, not ${value}`);
  }
}

/** Throws RMK_ERR_INPUT unless `value` lies strictly between 0 and 1. */
export function requireOpenUnit(name: string, value: number): void {
  if (!(value > 0 && value < 1)) {
    throw new ModelError('RMK_ERR_INPUT', `${name} must lie between 0 and 1, both excluded, not ${value}`);
  }
}

/** Throws RMK_ERR_INPUT unless `value` is a whole number from `least` to `most`. */
export function requireCount(name: string, value: number, least = 1, most = Number.MAX_SAFE_INTEGER): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const range =
    most === Number.MAX_SAFE_INTEGER || !(value > most) ? `of at least ${least}` : `of at most ${most}`;
  throw new ModelError('RMK_ERR_INPUT', `${name} must be a whole number ${range}, not ${value}`);
}

/** "; did you mean x?" for the known name that is nearest to `name`, else the list of all known names. */
export function suggestion(name: string, known: readonly string[]): string {
  const nearest = known
    .map((candidate) => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.edits - b.edits)[0];
  // If more than half of its letters changed, it is another name. Short names get more latitude.
  const length = nearest?.candidate.length ?? 0;
  if (nearest !== undefined && nearest.edits <= Math.min(length - 1, Math.max(2, length / 2))) {
    return `; did you mean "${nearest.candidate}"?`;
  }
  return `; known names are ${known.join(', ')}`;
}
