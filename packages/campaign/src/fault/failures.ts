import { suggestion } from '@rmk/kernel';
import { z } from 'zod';
import * as faults from '../faults.js';
import type { FaultTarget } from '../faultTarget.js';
import { defineFault, type FaultKind, type Place } from './faultKind.js';
import type { FaultSpace } from './injectionTarget.js';

const none = z.strictObject({});
const NO_PLACE: Place = {};

/** §8.1: an exception that the guest did not cause. */
export const signal = defineFault({
  name: 'signal',
  summary: 'raises an exception in the guest, as a signal that terminates its application does (§8.1)',
  options: z.strictObject({ cause: z.string().default('illegal-instruction') }),
  check({ cause }, { signals }) {
    if (signals.includes(cause)) return undefined;
    return `unknown cause ${JSON.stringify(cause)}, ${suggestion(cause, signals)}`;
  },
  draw: (_, { cause }) => ({ cause }),
  inject: ({ machine }, { cause }) => machine.raise(cause),
  describe: ({ cause }) => cause,
});

export const wildJump = failure('wild-jump', 'jumps to address 0, where there is no memory', faults.crash);
/** §8.3. */
export const hang = failure('hang', 'loops in machine mode with interrupts off (§8.3)', faults.hang, 'park');
export const taskLoop = failure(
  'task-loop',
  'loops in a user-mode task with the timer masked',
  faults.taskLoop,
  'task_park',
  // To a user-mode task.
  true,
);
export const halt = failure('halt', 'waits for interrupts with all of them masked', faults.halt, 'park');
export const failureExit = failure(
  'failure-exit',
  'switches itself off with exit code 7',
  faults.failureExit,
  'exit',
);

function failure(
  name: string,
  summary: string,
  inject: (target: FaultTarget) => Promise<void>,
  symbol?: string,
  needsTime = false,
): FaultKind {
  return defineFault({
    name,
    summary,
    options: none,
    check: (_, space) => missingSymbol(symbol, space),
    needsTime,
    draw: () => NO_PLACE,
    inject,
    describe: () => summary,
  });
}

function missingSymbol(name: string | undefined, space: FaultSpace): string | undefined {
  if (name === undefined || space.symbol(name) !== undefined) return undefined;
  return `the guest has no symbol ${name} to go to. Name such a loop in it, or leave the fault out`;
}
