import { RmkError, type Nanoseconds } from '@rmk/core';
import type { ChosenFault, DrawnFault } from '../fault/faultKind.js';
import type { FaultSpace } from '../fault/injectionTarget.js';
import { ExperimentRandom } from '../random/experimentRandom.js';
import type { Experiment } from './experiment.js';

/** How far the checkpoints of the protection reach back. */
export interface History {
  /** T_ck. */
  readonly intervalNs: Nanoseconds;
  /** Checkpoints retained. */
  readonly retain: number;
}

/** Everything that is random about one experiment. */
export interface DrawnExperiment {
  readonly fault: DrawnFault;
  readonly injectAtGuestNs: Nanoseconds;
  /** Time since the newest checkpoint: above 0, at most T_ck. */
  readonly phaseNs: Nanoseconds;
  /** Guest time at which the protection starts: the ring is full at the injection. */
  readonly protectAtGuestNs: Nanoseconds;
  readonly isControl: boolean;
}

/** Draws experiment `number` from the seed and the number alone. */
export function drawExperiment(
  number: number,
  experiment: Experiment,
  space: FaultSpace,
  history: History,
  window: Window,
): DrawnExperiment {
  const random = new ExperimentRandom(experiment.seed, number);
  const fault = chosenBy(random, experiment.faults).draw(random, space);
  const drawnAtGuestNs = window.cycleNs * random.integer(window.fromCycle, window.toCycle);
  const phaseNs =
    window.cycleNs * random.integer(1, Math.max(1, Math.floor(history.intervalNs / window.cycleNs)));
  const isControl = random.happens(experiment.control);
  return injectedAt(drawnAtGuestNs, { fault, phaseNs, isControl }, history);
}

/** The experiment with another moment of injection, and the same time since the newest checkpoint. */
export function injectedAt(
  injectAtGuestNs: Nanoseconds,
  { fault, phaseNs, isControl }: Pick<DrawnExperiment, 'fault' | 'phaseNs' | 'isControl'>,
  { intervalNs, retain }: History,
): DrawnExperiment {
  return {
    fault,
    injectAtGuestNs,
    phaseNs,
    protectAtGuestNs: injectAtGuestNs - phaseNs - (retain - 1) * intervalNs,
    isControl,
  };
}

/** Moments of injection, in cycles of guest time. */
export interface Window {
  readonly cycleNs: Nanoseconds;
  readonly fromCycle: number;
  readonly toCycle: number;
}

/** `RMK_ERR_INPUT` if no moment has a full history before it and lies within the golden run. */
export function windowOf(
  { window = {} }: Experiment,
  { intervalNs, retain }: History,
  endNs: Nanoseconds,
  cycleNs: Nanoseconds,
): Window {
  const fullNs = retain * intervalNs;
  const { fromNs = fullNs, toNs = endNs - cycleNs } = window;
  const fromCycle = Math.ceil(fromNs / cycleNs);
  const toCycle = Math.floor(toNs / cycleNs);
  if (fromNs >= fullNs && toNs < endNs && fromCycle <= toCycle) return { cycleNs, fromCycle, toCycle };
  throw new RmkError(
    'RMK_ERR_INPUT',
    `faults cannot be injected from ${fromNs / 1e6} ms to ${toNs / 1e6} ms of guest time: ${retain} checkpoints at ` +
      `intervals of ${intervalNs / 1e6} ms must come before, and the golden run ends at ${endNs / 1e6} ms. ` +
      'Shorten the interval, or fix the window.',
  );
}

function chosenBy(random: ExperimentRandom, faults: readonly ChosenFault[]): ChosenFault {
  const total = faults.reduce((sum, { weight }) => sum + weight, 0);
  let left = random.integer(0, total - 1);
  const found = faults.find(({ weight }) => (left -= weight) < 0);
  if (found === undefined) throw new RangeError('an experiment needs a fault');
  return found;
}
