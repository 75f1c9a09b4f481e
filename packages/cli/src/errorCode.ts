/** The code of an error, or an empty string. Two copies of a package have two classes of the same error, but one code. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
