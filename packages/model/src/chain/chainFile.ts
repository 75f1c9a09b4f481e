import { z } from 'zod';
import { ModelError } from '../errors.js';
import type { ChainDefinition } from './markovChain.js';
import { parameter, type ParameterValues, product, type Rate } from './rate.js';

/** A chain read from a file, with numbers for its parameters. */
export interface ChainFile {
  readonly definition: ChainDefinition;
  readonly values: ParameterValues;
}

const factor = z.union([z.number(), z.string()]);
const chainSchema = z.strictObject({
  name: z.string().optional(),
  /** Numbers for the parameters that rates name. */
  parameters: z.record(z.string(), z.number()).optional(),
  states: z.array(z.strictObject({ name: z.string(), reward: z.number() })).min(1),
  /** A rate is a number, the name of a parameter, or a product of these. */
  transitions: z.array(
    z.strictObject({
      from: z.string(),
      to: z.string(),
      rate: z.union([factor, z.array(factor).min(1)]),
      label: z.string().optional(),
    }),
  ),
  /** Default: the first state. */
  initial: z.string().optional(),
});

/** Reads a chain from the content of a JSON file. Throws RMK_ERR_INPUT for content of another form. */
export function parseChain(content: unknown, path: string): ChainFile {
  const parsed = chainSchema.safeParse(content);
  if (!parsed.success) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `${path} is not a chain of the form { "states": [{ "name": "up", "reward": 1 }], "transitions": [{ "from": "up", "to": "down", "rate": 0.001 }] }`,
      parsed.error.issues.map(({ path: where, message }) => ({
        path: where.map(String).join('.') || 'the file',
        message,
      })),
    );
  }
  const { name = path, parameters = {}, states, transitions, initial } = parsed.data;
  return {
    definition: {
      name,
      states,
      transitions: transitions.map(({ from, to, rate, label = '' }) => ({
        from,
        to,
        rate: rateOf(rate),
        label,
      })),
      initial: initial ?? states[0]?.name ?? '',
    },
    values: parameters,
  };
}

function rateOf(rate: number | string | readonly (number | string)[]): Rate {
  if (typeof rate === 'number') return { kind: 'number', value: rate };
  if (typeof rate === 'string') return parameter(rate);
  return product(...rate.map((each) => (typeof each === 'number' ? each : parameter(each))));
}
