import { messageOf } from '@rmk/core';

/** A guest in its domain. */
export interface Stoppable {
  readonly name: string;
  stop(): Promise<void>;
}

/** Stops guests in reverse order, each whatever the others do. Returns what failed. */
export async function stopAll(guests: readonly Stoppable[]): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const guest of guests.toReversed()) {
    try {
      await guest.stop();
    } catch (error) {
      problems.push(`${guest.name}: ${messageOf(error)}`);
    }
  }
  return problems;
}
