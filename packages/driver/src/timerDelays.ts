import { RmkError, type Nanoseconds } from '@rmk/core';

/** Throws `RMK_ERR_INPUT` unless `delayNs` is finite and at least zero. */
export function checkDelay(delayNs: Nanoseconds): void {
  if (Number.isFinite(delayNs) && delayNs >= 0) return;
  throw new RmkError('RMK_ERR_INPUT', `a timer's delay is ${delayNs} ns, expected zero or more`);
}

/** Throws `RMK_ERR_INPUT` unless `intervalNs` is finite and at least `shortestNs`, for the reason that `why` gives. */
export function checkInterval(intervalNs: Nanoseconds, shortestNs: Nanoseconds, why: string): void {
  if (Number.isFinite(intervalNs) && intervalNs >= shortestNs) return;
  throw new RmkError(
    'RMK_ERR_INPUT',
    `a timer's interval is ${intervalNs} ns, expected at least ${shortestNs} ns (${why})`,
  );
}
