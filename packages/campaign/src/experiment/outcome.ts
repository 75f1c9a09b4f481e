/** What became of a guest that ran on without recovery. */
export type Fate = 'right' | 'wrong-result' | 'failed' | 'hang';

/** The class of an experiment. */
export type Outcome =
  | 'not-activated'
  | 'masked'
  | 'silent-data-corruption'
  | 'undetected-hang'
  | 'recovered'
  | 'recovered-wrong-output'
  | 'unnecessary-rollback'
  | 'restarted'
  | 'unrecovered'
  | 'broke-healthy-guest';

export const OUTCOMES: readonly Outcome[] = [
  'not-activated',
  'masked',
  'silent-data-corruption',
  'undetected-hang',
  'recovered',
  'recovered-wrong-output',
  'unnecessary-rollback',
  'restarted',
  'unrecovered',
  'broke-healthy-guest',
];

/** What is known at the end of an experiment. */
export interface Observed {
  /** Whether the fault was read, or anything but the flipped place differed from the golden run. */
  readonly activated: boolean;
  readonly detected: boolean;
  readonly restarts: number;
  /** The end of the protected run: `'right'` only if its whole state and output equal the golden run's. */
  readonly end: Fate;
  /** Whether bytes left the guest that the golden run never sends at that place. */
  readonly wrongWire: boolean;
  /** The end of the run with detection on and recovery off. */
  readonly twin: Fate;
}

/** The class of an experiment. Nothing is called recovered whose result is wrong. */
export function outcomeOf({ activated, detected, restarts, end, wrongWire, twin }: Observed): Outcome {
  if (!detected) {
    if (end === 'right') return activated ? 'masked' : 'not-activated';
    return end === 'hang' ? 'undetected-hang' : 'silent-data-corruption';
  }
  if (twin === 'right') return end === 'right' ? 'unnecessary-rollback' : 'broke-healthy-guest';
  if (end !== 'right') return 'unrecovered';
  if (restarts > 0) return 'restarted';
  return wrongWire ? 'recovered-wrong-output' : 'recovered';
}

/** Whether the guest, left alone, would have ended wrong or not at all. */
export function isEffective({ twin }: { readonly twin: Fate }): boolean {
  return twin !== 'right';
}
