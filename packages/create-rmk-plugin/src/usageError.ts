/** A user's mistake. The message says what is wrong and how to fix it. Nothing was written. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
