import { z } from 'zod';
import { GUEST_NAMES } from './configSchema.js';
import { nearest, suggestion } from '@rmk/kernel';
import type { ConfigPath, Problems } from './problems.js';

/** Validates `value`. Reports each problem with its path and returns undefined if there are any. */
export function validate<S extends z.ZodType>(
  schema: S,
  value: unknown,
  path: ConfigPath,
  problems: Problems,
): z.output<S> | undefined {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  for (const issue of result.error.issues) report(issue, schema, path, problems);
  return undefined;
}

/**
 * Parses an object without the keys that have problems, so that the rest can be checked too. Undefined if what remains
 * does not fit the schema.
 */
export function parseValidKeys<S extends z.ZodType>(schema: S, value: object): z.output<S> | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const invalid = new Set(
    result.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : issue.path.slice(0, 1),
    ),
  );
  return schema.safeParse(Object.fromEntries(Object.entries(value).filter(([key]) => !invalid.has(key))))
    .data;
}

function report(
  issue: z.core.$ZodIssue,
  schema: z.core.$ZodType,
  base: ConfigPath,
  problems: Problems,
): void {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    for (const key of issue.keys) problems.add([...path, key], `unknown key, ${suggestion(key, known)}`);
  } else if (issue.code === 'invalid_union') {
    // A problem within the alternative that was meant says more than that none fits.
    const meant = issue.errors.find((issues) => issues.length > 0 && !issues.some(isOfAnotherKind));
    if (meant === undefined) problems.add(path, withGiven(issue.message, issue.input));
    else
      for (const inner of meant)
        report({ ...inner, path: [...issue.path, ...inner.path] }, schema, base, problems);
  } else if (issue.input === undefined && issue.code !== 'custom') {
    problems.add(path, `missing: ${lowered(issue.message)}`);
  } else if (issue.path.at(-1) === 'guest' && typeof issue.input === 'string') {
    problems.add(
      path,
      `unknown guest ${JSON.stringify(issue.input)}, ${suggestion(issue.input, GUEST_NAMES)}`,
    );
  } else if (issue.code === 'invalid_value' && typeof issue.input === 'string') {
    const values = issue.values.map(String);
    const meant = nearest(issue.input, values);
    const fix = meant === undefined ? `expected ${values.join(' or ')}` : `did you mean ${meant}?`;
    problems.add(path, withGiven(fix, issue.input));
  } else {
    problems.add(path, withGiven(lowered(issue.message), issue.input));
  }
}

/** Not this alternative's kind of value at all. */
function isOfAnotherKind({ path, code }: z.core.$ZodIssue): boolean {
  return path.length === 0 && code !== 'unrecognized_keys';
}

function withGiven(message: string, given: unknown): string {
  const isShort = typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean';
  return isShort ? `${message} (it is ${JSON.stringify(given)})` : message;
}

/** `Invalid input: expected string, received undefined` as part of a sentence of ours. */
function lowered(message: string): string {
  return message.replace(/^Invalid (?:input|option): /, '').replace(/, received undefined$/, '');
}

/** The keys that the object at `path` of a schema may have. */
function keysAt(schema: z.core.$ZodType, path: ConfigPath): readonly string[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodDefault
  )
    return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  const [key, ...rest] = path;
  if (schema instanceof z.ZodArray) return key === undefined ? [] : keysAt(schema.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  if (key === undefined) return Object.keys(schema.shape);
  const property = schema.shape[String(key)];
  return property === undefined ? [] : keysAt(property, rest);
}
