import { checkpoint } from '@rmk/checkpoint';
import { pathText, RmkError, type Duration, type Plugin, type Problem } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { cowp } from '@rmk/cowp';
import { hangDetector } from '@rmk/hang-detector';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmio } from '@rmk/pin-vmio';
import { pinVmschl } from '@rmk/pin-vmschl';
import { pinVmsignal } from '@rmk/pin-vmsignal';
import { recovery } from '@rmk/recovery';
import { crashLatencyBound } from './crashLatency.js';

const ALGORITHMS = { cowb, cowp };

export interface MicrocheckpointOptions {
  /** T_ck. Default: `'50ms'`. */
  readonly interval?: Duration;
  /** Checkpoints retained. Default: derived from the detectors' bounds. */
  readonly retain?: number;
  /** COWB or COWP as they come, or any plugin that contributes an algorithm. Default: `'cowp'`. */
  readonly algorithm?: keyof typeof ALGORITHMS | Plugin;
  /** The options of the hang detector, or `false` for none. */
  readonly hang?: Parameters<typeof hangDetector>[0] | false;
  readonly signals?: Parameters<typeof pinVmsignal>[0];
  /** The options of the recovery, a recovery of your own, or `false` for none. */
  readonly recovery?: Parameters<typeof recovery>[0] | Plugin | false;
  /**
   * Accepted probability that the rollback target of a crash holds the error, above 0 and below 1. T_B, and with it the
   * number of checkpoints, is derived from it and from what is known of the latency of crashes.
   */
  readonly corruptionRisk?: number;
  /** Measured latencies of crashes in milliseconds, `Infinity` for none. They take the place of `signals.latencyBound`. */
  readonly latencies?: readonly number[];
}

const OPTIONS = [
  'interval',
  'retain',
  'algorithm',
  'hang',
  'signals',
  'recovery',
  'corruptionRisk',
  'latencies',
] as const satisfies readonly (keyof MicrocheckpointOptions)[];

/**
 * The deployment of figure 1 (§2): pins, agent, checkpoint algorithm, detectors of crashes and hangs, recovery.
 * `RMK_ERR_INPUT` for an unknown option or algorithm; what the options are for checks the rest when a domain is made.
 */
export function microcheckpoint(options: MicrocheckpointOptions = {}): readonly Plugin[] {
  refuseUnknown(options);
  const { interval = '50ms', retain, algorithm = 'cowp', hang = {}, corruptionRisk } = options;
  return [
    pinVcpu(),
    pinPtable(),
    pinVmsignal(signalsOf(options, interval)),
    pinVmschl(),
    pinVmio(),
    checkpoint({
      interval,
      ...(retain === undefined ? {} : { retain }),
      ...(corruptionRisk === undefined ? {} : { corruptionRisk }),
    }),
    typeof algorithm === 'string' ? ALGORITHMS[algorithm]() : algorithm,
    ...(hang === false ? [] : [hangDetector(hang)]),
    ...recoveriesOf(options.recovery),
  ];
}

/** 95 % of the crashes within 50 ms: the default of pin-vmsignal. */
const LATENCY_BOUND = { bound: '50ms', quantile: 0.95 } as const;

function signalsOf(
  { signals = {}, corruptionRisk, latencies }: MicrocheckpointOptions,
  interval: Duration,
): Parameters<typeof pinVmsignal>[0] {
  if (corruptionRisk === undefined && latencies === undefined) return signals;
  const { latencyBound = LATENCY_BOUND } = signals;
  // A latency that is always 0 keeps every risk.
  if (latencyBound === false && latencies === undefined) return signals;
  return {
    ...signals,
    latencyBound: crashLatencyBound({
      interval,
      ...(corruptionRisk === undefined ? {} : { corruptionRisk }),
      ...(latencies === undefined ? {} : { latencies }),
      latencyBound: latencyBound === false ? LATENCY_BOUND : latencyBound,
    }),
  };
}

function recoveriesOf(given: MicrocheckpointOptions['recovery']): readonly Plugin[] {
  if (given === false) return [];
  return [isOwnRecovery(given) ? given : recovery(given)];
}

function isOwnRecovery(given: MicrocheckpointOptions['recovery']): given is Plugin {
  return typeof given === 'object' && 'definition' in given;
}

function refuseUnknown(options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw refusal([{ path: '', message: `expected options, given ${String(options)}` }]);
  const problems = Object.keys(options)
    .filter((key) => !OPTIONS.some((option) => option === key))
    .map((key): Problem => ({
      path: pathText([key]),
      message: `unknown option, choose among ${OPTIONS.join(', ')}`,
    }));
  const algorithm: unknown = 'algorithm' in options ? options.algorithm : undefined;
  const isPlugin = typeof algorithm === 'object' && algorithm !== null;
  const isKnown =
    algorithm === undefined || (typeof algorithm === 'string' && Object.hasOwn(ALGORITHMS, algorithm));
  if (!isPlugin && !isKnown) {
    const kind = typeof algorithm === 'function' ? 'a function (call it)' : typeof algorithm;
    const given = typeof algorithm === 'string' ? algorithm : kind;
    problems.push({
      path: 'algorithm',
      message: `expected ${Object.keys(ALGORITHMS).join(', ')} or a plugin that contributes one, given ${given}`,
    });
  }
  if ('corruptionRisk' in options && !isRisk(options.corruptionRisk)) {
    problems.push({
      path: 'corruptionRisk',
      message: 'expected a probability above 0 and below 1, such as 0.02',
    });
  }
  if ('latencies' in options && !areLatencies(options.latencies)) {
    problems.push({
      path: 'latencies',
      message:
        'expected at least one latency in milliseconds, 0 or more, or Infinity for an error that was never detected',
    });
  }
  if (problems.length > 0) throw refusal(problems);
}

function isRisk(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && value > 0 && value < 1);
}

function areLatencies(value: unknown): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) && value.length > 0 && value.every((ms) => typeof ms === 'number' && ms >= 0);
}

function refusal(problems: readonly Problem[]): RmkError {
  return new RmkError('RMK_ERR_INPUT', 'microcheckpoint: invalid options', { problems });
}
