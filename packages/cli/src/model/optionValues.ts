import { InvalidArgumentError } from 'commander';

/** Parses an option that is a number. The models check its range. */
export function numberOption(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError(`"${text}" is not a number.`);
  if (!Number.isFinite(value)) throw new InvalidArgumentError(`"${text}" is too large.`);
  return value;
}

/** Parses an option that is a whole number of 1 or more. */
export function countOption(text: string): number {
  const value = numberOption(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError(`"${text}" is not a whole number of 1 or more.`);
}

/** Parses an option that is a whole number of 0 or more. */
export function wholeOption(text: string): number {
  const value = numberOption(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError(`"${text}" is not a whole number of 0 or more.`);
}

/** Parses an option that is two numbers: `a,b`. */
export function pairOption(text: string): readonly [number, number] {
  const [first, second, ...more] = text.split(',').map(numberOption);
  if (first === undefined || second === undefined || more.length > 0) {
    throw new InvalidArgumentError(`"${text}" is not two numbers separated by a comma.`);
  }
  return [first, second];
}

/** Collects the values of an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Parses an option that is a list of times: `0.1,1,10`. */
export function timesOption(text: string): readonly number[] {
  return text.split(',').map((part) => {
    const time = numberOption(part);
    if (time >= 0 && time < Infinity) return time;
    throw new InvalidArgumentError(`"${part}" is not a time: give times of zero or more, as in 0.1,1,10.`);
  });
}
