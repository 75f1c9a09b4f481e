import type { ExperimentRecord } from '../src/index.js';

/** A record of a recovered crash, with changes. */
export function recordOf(number: number, changes: Partial<ExperimentRecord> = {}): ExperimentRecord {
  return {
    number,
    fault: 'wild-jump',
    place: {},
    what: 'jumps to address 0',
    injected: { guestNs: 10e6, instructions: 1_000_000, phaseNs: 2e6 },
    detection: { kind: 'crash', cause: 'c', by: '@rmk/pin-vmsignal', latencyNs: 10, instructions: 1_000_001 },
    detections: 1,
    recoveries: [{ rung: 'target', pagesRestored: 12, workLostNs: 2e6 }],
    outcome: 'recovered',
    proof: 'equal',
    end: 'right',
    twin: 'hang',
    watchedNs: 4e6,
    unexpected: [],
    host: { ms: 20, recoveryNs: [1000] },
    ...changes,
  };
}
