/** Why translated code was left. */
export const Left = {
  /** No region begins at the program counter. */
  LOOK_UP: 0,
  /** The interpreter has to execute the instruction at the program counter. */
  INTERPRET: 1,
  /** The rest of the budget may not suffice for the way to the next check. */
  SPENT: 2,
} as const;

export type Left = (typeof Left)[keyof typeof Left];
