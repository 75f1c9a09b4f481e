import { ModelError, suggestion } from '../errors.js';

/** A rate as it is written in a model: parameters, and what is made of them. */
export type Rate =
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'product'; readonly factors: readonly Rate[] }
  | { readonly kind: 'sum'; readonly terms: readonly Rate[] }
  /** One minus a probability. */
  | { readonly kind: 'complement'; readonly of: Rate };

/** The values of a model's parameters, by name. Rates are per hour, probabilities are plain numbers. */
export type ParameterValues = Readonly<Record<string, number>>;

export const parameter = (name: string): Rate => ({ kind: 'parameter', name });
export const product = (...factors: readonly (Rate | number)[]): Rate => ({
  kind: 'product',
  factors: factors.map(asRate),
});
export const sum = (...terms: readonly (Rate | number)[]): Rate => ({
  kind: 'sum',
  terms: terms.map(asRate),
});
export const complement = (of: Rate): Rate => ({ kind: 'complement', of });

function asRate(rate: Rate | number): Rate {
  return typeof rate === 'number' ? { kind: 'number', value: rate } : rate;
}

/** Throws RMK_ERR_INPUT for a parameter that has no value; the nearest known name is offered. */
export function evaluate(rate: Rate, values: ParameterValues): number {
  if (rate.kind === 'parameter') {
    const value = values[rate.name];
    if (value === undefined) {
      const known = suggestion(rate.name, Object.keys(values));
      throw new ModelError('RMK_ERR_INPUT', `the parameter "${rate.name}" has no value${known}`);
    }
    return value;
  }
  if (rate.kind === 'number') return rate.value;
  if (rate.kind === 'product')
    return rate.factors.reduce((total, factor) => total * evaluate(factor, values), 1);
  if (rate.kind === 'sum') return rate.terms.reduce((total, term) => total + evaluate(term, values), 0);
  return 1 - evaluate(rate.of, values);
}

/** The partial derivative of the rate with respect to the parameter `name`. */
export function derivative(rate: Rate, name: string, values: ParameterValues): number {
  if (rate.kind === 'parameter') return rate.name === name ? 1 : 0;
  if (rate.kind === 'number') return 0;
  if (rate.kind === 'sum')
    return rate.terms.reduce((total, term) => total + derivative(term, name, values), 0);
  if (rate.kind === 'complement') return -derivative(rate.of, name, values);
  return rate.factors.reduce((total, factor, index) => {
    const slope = derivative(factor, name, values);
    if (slope === 0) return total;
    const others = rate.factors.toSpliced(index, 1);
    return total + slope * others.reduce((value, other) => value * evaluate(other, values), 1);
  }, 0);
}

/** The names of the parameters in the rate. */
export function parametersOf(rate: Rate): readonly string[] {
  if (rate.kind === 'parameter') return [rate.name];
  if (rate.kind === 'number') return [];
  if (rate.kind === 'product') return rate.factors.flatMap(parametersOf);
  if (rate.kind === 'sum') return rate.terms.flatMap(parametersOf);
  return parametersOf(rate.of);
}

/** The rate as it is written on an arrow of a figure: λp·(1 - pc). */
export function formatRate(rate: Rate): string {
  if (rate.kind === 'parameter') return rate.name;
  if (rate.kind === 'number') return String(rate.value);
  if (rate.kind === 'sum') return rate.terms.map(formatRate).join(' + ');
  if (rate.kind === 'complement') return `(1 - ${formatRate(rate.of)})`;
  return rate.factors
    .map((factor) => (factor.kind === 'sum' ? `(${formatRate(factor)})` : formatRate(factor)))
    .join('·');
}
