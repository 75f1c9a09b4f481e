import { checkpointOptions } from '@rmk/checkpoint';
import type { Plugin } from '@rmk/core';
import type { hangDetector } from '@rmk/hang-detector';
import type { pinVmsignal } from '@rmk/pin-vmsignal';
import type { recovery } from '@rmk/recovery';
import { z } from 'zod';

const ALGORITHM_NAMES = ['cowb', 'cowp'] as const;

type AlgorithmName = (typeof ALGORITHM_NAMES)[number];

export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isPlugin = (value: unknown): value is Plugin => isObject(value) && 'definition' in value;

const isAlgorithm = (value: unknown): boolean =>
  isPlugin(value) || ALGORITHM_NAMES.some((name) => name === value);

const isLatency = (value: unknown): boolean => typeof value === 'number' && value >= 0;

const algorithmHint = ({ input }: { readonly input?: unknown }): string =>
  `expected ${ALGORITHM_NAMES.map((name) => `'${name}'`).join(', ')}, or a plugin that contributes an algorithm${
    typeof input === 'function' ? ': call the function, it makes the plugin' : ''
  }`;

/** Options that another plugin checks against its own schema. */
const passedOn = <T>(what: string) => z.custom<T>(isObject, `expected the options of ${what}`);

const shape = {
  interval: checkpointOptions.shape.interval,
  retain: checkpointOptions.shape.retain,
  /** COWB or COWP as they come, or any plugin that contributes an algorithm. */
  algorithm: z.custom<AlgorithmName | Plugin>(isAlgorithm, { error: algorithmHint }).default('cowp'),
  /** The options of the hang detector, or `false` for none. */
  hang: z
    .custom<Parameters<typeof hangDetector>[0] | false>(
      (value) => value === false || isObject(value),
      'expected the options of the hang detector, or false',
    )
    .default({}),
  /** The options of pin-vmsignal. */
  signals: passedOn<NonNullable<Parameters<typeof pinVmsignal>[0]>>('pin-vmsignal').default({}),
  /** The options of the recovery, a recovery of your own, or `false` for none. */
  recovery: z
    .custom<Parameters<typeof recovery>[0] | Plugin | false>(
      (value) => value === false || isObject(value),
      'expected the options of the recovery, a plugin, or false',
    )
    .default({}),
  /**
   * Accepted probability that the rollback target of a crash holds the error, above 0 and below 1. T_B, and with it the
   * number of checkpoints, is derived from it and from what is known of the latency of crashes.
   */
  corruptionRisk: checkpointOptions.shape.corruptionRisk,
  /**
   * Measured latencies of crashes in milliseconds, `Infinity` for none. They take the place of `signals.latencyBound`.
   */
  latencies: z
    .custom<readonly number[]>(
      (value) => Array.isArray(value) && value.length > 0 && value.every(isLatency),
      'expected at least one latency in milliseconds, 0 or more, or Infinity for an error that was never detected',
    )
    .optional(),
};

/** What the preset itself checks. What it passes on to a plugin is checked by that plugin's schema. */
export const microcheckpointOptions = z.strictObject(shape, {
  error: ({ code, keys }) =>
    code === 'unrecognized_keys'
      ? `unknown: ${(keys as readonly string[]).join(', ')}. Choose among ${Object.keys(shape).join(', ')}.`
      : 'expected an object of options',
});

export type MicrocheckpointOptions = z.input<typeof microcheckpointOptions>;
