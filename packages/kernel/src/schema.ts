import { problemsOf, type Problem } from '@rmk/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** What a schema makes of a value: its output, or every problem. */
export interface Validation {
  readonly value?: unknown;
  /** None if the value is valid. */
  readonly problems: readonly Problem[];
}

/** Validates `value`, which is called `name` in the paths of the problems. */
export async function validate(schema: StandardSchemaV1, value: unknown, name?: string): Promise<Validation> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return { value: result.value, problems: [] };
  return { problems: problemsOf(result.issues, name === undefined ? [] : [name]) };
}

export function isStandardSchema(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = '~standard' in value ? value['~standard'] : undefined;
  return typeof standard === 'object' && standard !== null && 'validate' in standard;
}
