/** Something that the user did wrong: the message says what, and how to mend it. Nothing was written. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
