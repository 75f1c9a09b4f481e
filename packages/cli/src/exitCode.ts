/** What `rmk` exits with. */
export const ExitCode = {
  DONE: 0,
  /** The thing measured or protected failed. */
  FAILED: 1,
  /** Wrong usage or input. */
  USAGE: 2,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
