import type { StandardSchemaV1 } from '@standard-schema/spec';

/** What a schema makes of a value: its output, or every issue as `path: message`. */
export interface Validation {
  readonly value?: unknown;
  /** None where the value is valid. */
  readonly issues: readonly string[];
}

/** Validates `value`, which is called `name` in the paths of the issues. */
export async function validate(schema: StandardSchemaV1, value: unknown, name: string): Promise<Validation> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return { value: result.value, issues: [] };
  return { issues: result.issues.map(({ path, message }) => `${printPath(name, path ?? [])}: ${message}`) };
}

export function isStandardSchema(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard: unknown = '~standard' in value ? value['~standard'] : undefined;
  return typeof standard === 'object' && standard !== null && 'validate' in standard;
}

export function printPath(name: string, path: NonNullable<StandardSchemaV1.Issue['path']>): string {
  return path.reduce<string>((printed, segment) => {
    const key = typeof segment === 'object' ? segment.key : segment;
    return typeof key === 'number' ? `${printed}[${key}]` : `${printed}.${String(key)}`;
  }, name);
}
