import { pathText, problemsOf, type Path, type Problem } from '@rmk/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { suggestion } from './nearest.js';

/** Result of a validation: the output of the schema, or every problem. */
export interface Validation {
  readonly value?: unknown;
  /** None if the value is valid. */
  readonly problems: readonly Problem[];
}

/** Validates `value`, which is called `name` in the paths of the problems. */
export async function validate(schema: StandardSchemaV1, value: unknown, name?: string): Promise<Validation> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return { value: result.value, problems: [] };
  const base = name === undefined ? [] : [name];
  return {
    problems: result.issues.flatMap((issue) => unknownKeys(schema, issue, base) ?? problemsOf([issue], base)),
  };
}

/** Turns zod's issue about unknown keys into one problem a key, with the key that was probably meant. */
export function unknownKeys(
  schema: unknown,
  issue: StandardSchemaV1.Issue,
  base: Path,
): readonly Problem[] | undefined {
  if (!('keys' in issue && Array.isArray(issue.keys))) return undefined;
  const path = issue.path ?? [];
  const known = keysAt(schema, path);
  return issue.keys.map((key) => ({
    path: pathText([...base, ...path, String(key)]),
    message: known.length === 0 ? 'unknown key' : `unknown key: ${suggestion(String(key), known)}`,
  }));
}

/** The keys that zod's object at `path` of a schema may have. Empty if they are unknown. */
function keysAt(schema: unknown, [first, ...rest]: Path): readonly string[] {
  const inner = member(member(schema, 'def'), 'innerType');
  if (inner !== undefined) return keysAt(inner, first === undefined ? [] : [first, ...rest]);
  const shape = member(schema, 'shape');
  if (typeof shape !== 'object' || shape === null) return [];
  if (first === undefined) return Object.keys(shape);
  const key = typeof first === 'object' ? first.key : first;
  return keysAt(member(shape, key), rest);
}

function member(of: unknown, key: PropertyKey): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, key) : undefined;
}

export function isStandardSchema(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = '~standard' in value ? value['~standard'] : undefined;
  return typeof standard === 'object' && standard !== null && 'validate' in standard;
}
