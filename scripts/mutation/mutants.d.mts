export interface Mutant {
  readonly kind: 'operator' | 'bound' | 'guard' | 'reset' | 'order';
  readonly key: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly mutant: string;
  readonly isStatement: boolean;
}

/** The mutants of `source`, and where the bodies of its loops begin. */
export function mutantsOf(path: string, source: string): { mutants: Mutant[]; loops: number[] };

/** `source` with all of `mutants` in it, each behind a switch. */
export function withSwitches(
  source: string,
  mutants: readonly (Mutant & { readonly id: number })[],
  loops: readonly number[],
): string;
