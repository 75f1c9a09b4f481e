import type { RmkErrorCode } from './errors.js';
import { problemText, type Problem } from './problem.js';

export interface RmkErrorDetail {
  /** The plugin that the error is about. */
  readonly plugin?: string | undefined;
  /** Everything that is wrong at once, each with its path. */
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
}

/** Shared by all copies of this package, unlike the class. */
const BRAND: unique symbol = Symbol.for('@rmk/core:RmkError') as never;

/**
 * What RMK throws for everything that a user, an author or a guest can do wrong. Its message is `CODE: reason`,
 * followed by its problem, or by a list of them. An RmkError of another copy of this package is an `instanceof` this
 * class too.
 */
export class RmkError extends Error {
  readonly code: RmkErrorCode;
  /** The message without the code and the problems. */
  readonly reason: string;
  readonly plugin: string | undefined;
  readonly problems: readonly Problem[];
  readonly [BRAND] = true;

  constructor(code: RmkErrorCode, reason: string, { plugin, problems = [], cause }: RmkErrorDetail = {}) {
    super(`${code}: ${reason}${listed(problems)}`, cause === undefined ? undefined : { cause });
    this.name = 'RmkError';
    this.code = code;
    this.reason = reason;
    this.plugin = plugin;
    this.problems = problems;
  }

  static override [Symbol.hasInstance](this: { readonly prototype: object }, value: unknown): boolean {
    return this === RmkError
      ? hasCode(value)
      : Object.prototype.isPrototypeOf.call(this.prototype, value as object);
  }

  /** One error for several, with the problems of all. The only one is returned as it is. */
  static combining(
    [first, ...others]: readonly [RmkError, ...RmkError[]],
    {
      code,
      reason,
      plugin,
    }: { readonly code: RmkErrorCode; readonly reason: string; readonly plugin?: string },
  ): RmkError {
    if (others.length === 0) return first;
    const errors = [first, ...others];
    const problems = errors.flatMap((error) =>
      (error.problems.length > 0 ? error.problems : [{ path: '', message: error.reason }]).map((problem) => ({
        ...(error.code === code ? {} : { code: error.code }),
        ...(error.plugin === undefined || error.plugin === plugin ? {} : { plugin: error.plugin }),
        ...problem,
      })),
    );
    return new RmkError(code, reason, { plugin, problems, cause: new AggregateError(errors, reason) });
  }
}

function listed(problems: readonly Problem[]): string {
  const [only, ...others] = problems;
  if (only === undefined) return '';
  if (others.length === 0) return `: ${problemText(only)}`;
  return problems.map((problem) => `\n  - ${problemText(problem)}`).join('');
}

/**
 * Whether `error` is an RmkError, of whatever copy of this package, with one of `codes`; with any code if none is
 * given.
 */
export function hasCode<C extends RmkErrorCode = RmkErrorCode>(
  error: unknown,
  ...codes: readonly C[]
): error is RmkError & { readonly code: C } {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false;
  return codes.length === 0 || ('code' in error && codes.some((code) => code === error.code));
}

/** The message of anything that was thrown. Throws nothing itself: it is called where faults are contained. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return 'something that cannot be printed';
  }
}
