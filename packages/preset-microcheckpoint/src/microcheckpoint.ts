import { checkpoint } from '@rmk/checkpoint';
import { problemsOf, RmkError, type Plugin, type Problem } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { cowp } from '@rmk/cowp';
import { hangDetector } from '@rmk/hang-detector';
import { pinPtable } from '@rmk/pin-ptable';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmio } from '@rmk/pin-vmio';
import { pinVmschl } from '@rmk/pin-vmschl';
import { pinVmsignal } from '@rmk/pin-vmsignal';
import { recovery } from '@rmk/recovery';
import type { z } from 'zod';
import { crashLatencyBound } from './crashLatency.js';
import { isObject, isPlugin, microcheckpointOptions, type MicrocheckpointOptions } from './options.js';

const ALGORITHMS = { cowb, cowp };

/**
 * The deployment of figure 1 (§2): pins, agent, checkpoint algorithm, detectors of crashes and hangs, recovery. Throws
 * `RMK_ERR_INPUT` if an option is unknown or invalid, with the problems of the options that are passed on too. If only
 * those are invalid, the domain reports them together with the problems of all other plugins.
 */
export function microcheckpoint(options: MicrocheckpointOptions = {}): readonly Plugin[] {
  const parsed = microcheckpointOptions.safeParse(options);
  if (!parsed.success) {
    const problems = [...problemsOf(parsed.error.issues), ...problemsPassedOn(options)];
    throw new RmkError('RMK_ERR_INPUT', 'microcheckpoint: invalid options', { problems });
  }
  const { interval, retain, algorithm, hang, corruptionRisk } = parsed.data;
  return [
    pinVcpu(),
    pinPtable(),
    pinVmsignal(signalsOf(parsed.data)),
    pinVmschl(),
    pinVmio(),
    checkpoint({
      interval,
      ...(retain === undefined ? {} : { retain }),
      ...(corruptionRisk === undefined ? {} : { corruptionRisk }),
    }),
    typeof algorithm === 'string' ? ALGORITHMS[algorithm]() : algorithm,
    ...(hang === false ? [] : [hangDetector(hang)]),
    ...recoveriesOf(parsed.data.recovery),
  ];
}

/** The plugins whose options are passed on, by the options of the preset. */
const PASSED_ON = { signals: pinVmsignal, hang: hangDetector, recovery };

/** What the plugins themselves find wrong with their options: the domain that would report it is never made. */
function problemsPassedOn(options: unknown): readonly Problem[] {
  if (!isObject(options)) return [];
  return Object.entries(PASSED_ON).flatMap(([key, factory]) => {
    const given: unknown = Reflect.get(options, key);
    if (!isObject(given) || isPlugin(given)) return [];
    const { name, options: schema } = factory().definition;
    const result = schema?.['~standard'].validate(given);
    if (result === undefined || !('issues' in result) || result.issues === undefined) return [];
    return problemsOf(result.issues, [key]).map((problem) => ({ ...problem, plugin: name }));
  });
}

/** 95 % of the crashes within 50 ms: the default of pin-vmsignal. */
const LATENCY_BOUND = { bound: '50ms', quantile: 0.95 } as const;

type ParsedOptions = z.output<typeof microcheckpointOptions>;

function signalsOf({
  interval,
  signals,
  corruptionRisk,
  latencies,
}: ParsedOptions): Parameters<typeof pinVmsignal>[0] {
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

function recoveriesOf(given: ParsedOptions['recovery']): readonly Plugin[] {
  if (given === false) return [];
  return [isPlugin(given) ? given : recovery(given)];
}
