import { RmkError, type Nanoseconds } from '@rmk/core';
import type { Rig } from './rig.js';

/**
 * What a guest put out, and what was struck out again from the end of that: by a rollback, or all of it by a restart.
 */
export type TranscriptEntry =
  | { readonly atNs: Nanoseconds; readonly data: Uint8Array }
  | { readonly atNs: Nanoseconds; readonly struck: number | 'all' };

/** Bytes with what became of each. */
export interface OutputByte {
  readonly byte: number;
  /** Domain time at which it left. */
  readonly atNs: Nanoseconds;
  /** Domain time at which it was struck out. Absent: it is part of the committed output. */
  struckAtNs?: Nanoseconds;
  /** Something was struck out between the byte before it and this one. */
  readonly afterStrike: boolean;
}

/** The transcript of a rig's guest. Needs P_VMIO, which publishes the output. */
export function outputTranscript(rig: Rig): readonly TranscriptEntry[] {
  const output = rig.events('EVT_VMOUTPUT').map(({ sequence, atNs, data }) => ({ sequence, atNs, data }));
  const rollbacks = rig
    .events('EVT_ROLLEDBACK')
    .map(({ sequence, atNs, rollback }) => ({ sequence, atNs, struck: rollback.outputStruckBytes }));
  const restarts = rig
    .events('EVT_VMRESTARTED')
    .map(({ sequence, atNs }) => ({ sequence, atNs, struck: 'all' as const }));
  return [...output, ...rollbacks, ...restarts].toSorted((one, other) => one.sequence - other.sequence);
}

/** All bytes that left, in order. `RMK_ERR_INPUT` where more is struck out than there is. */
export function outputBytes(transcript: readonly TranscriptEntry[]): readonly OutputByte[] {
  const wire: OutputByte[] = [];
  const committed: OutputByte[] = [];
  let afterStrike = false;
  for (const entry of transcript) {
    if ('data' in entry) {
      for (const byte of entry.data) {
        const one: OutputByte = { byte, atNs: entry.atNs, afterStrike };
        wire.push(one);
        committed.push(one);
        afterStrike = false;
      }
      continue;
    }
    const struck = entry.struck === 'all' ? committed.length : entry.struck;
    if (struck > committed.length) {
      throw new RmkError(
        'RMK_ERR_INPUT',
        `the transcript strikes out ${struck} bytes at ${entry.atNs} ns, and only ${committed.length} stand there: give all of it, in order`,
      );
    }
    for (const one of committed.splice(committed.length - struck)) one.struckAtNs = entry.atNs;
    afterStrike ||= struck > 0;
  }
  return wire;
}
