import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Incident } from '../src/mainJob/incident.js';
import { mainJob, mainJobGuests, type MainJobResult } from '../src/mainJob/mainJob.js';
import { END, goldenRun } from '@rmk/campaign';
import { EmbeddedHypervisor } from '@rmk/hypervisor-embedded';
import type { GoldenStates, GuestSpec } from '../src/mainJob/guestSpec.js';
import { protectedRun, type ProtectedRun } from '../src/mainJob/protectedRun.js';
import { checksOf } from '../src/mainJob/verdict.js';
import { startJson } from '../src/startReport.js';

const data = readFileSync(new URL('../src/startReport.ts', import.meta.url));
const guests = mainJobGuests({ name: 'startReport.ts', data });

describe('the main job', () => {
  let result: MainJobResult;
  const reported: Incident[] = [];

  beforeAll(async () => {
    const progress = { phase: () => {}, incident: (incident: Incident) => void reported.push(incident) };
    result = await mainJob({ guests, seed: 1 }, progress);
  });

  it('passes', () => {
    expect(result.checks.filter(({ holds }) => !holds)).toEqual([]);
    expect(result.verdict).toBe('pass');
  });

  it('injects every kind of fault into each guest, and reports each incident as it happens', () => {
    const faultsOf = (guest: string): readonly string[] =>
      reported.filter((incident) => incident.guest === guest).map(({ fault }) => fault);
    expect(faultsOf('tasks')).toEqual(['crash', 'bit flip', 'hang', 'task loop']);
    expect(faultsOf('compressor')).toEqual(['crash', 'bit flip', 'hang']);
    expect(result.runs.flatMap(({ incidents }) => incidents)).toHaveLength(reported.length);
  });

  it('prints the result as JSON', () => {
    const json: unknown = JSON.parse(startJson(result));
    const totals = {
      pageFaults: expect.any(Number),
      pagesSaved: expect.any(Number),
      pagesPreSaved: expect.any(Number),
      preSavedInVain: expect.any(Number),
    };
    expect(json).toMatchObject({ verdict: 'pass', algorithms: { cowb: totals, cowp: totals } });
    expect(json).toHaveProperty('incidents.0', {
      guest: expect.any(String),
      fault: expect.any(String),
      detail: expect.any(String),
      undetectedBefore: expect.any(Number),
      detector: expect.stringMatching(/^@rmk\//),
      latencyMs: expect.any(Number),
      checkpointAgeMs: expect.any(Number),
      pagesRestored: expect.any(Number),
      rung: expect.stringMatching(/^(target|older)$/),
      recoveries: expect.any(Number),
      durationMs: expect.any(Number),
    });
  });

  it('shows that COWP spares page faults for pages saved in vain, and both save what they must', () => {
    const { cowb, cowp } = result.algorithms;
    expect(cowb.pagesPreSaved).toBe(0);
    expect(cowb.preSavedInVain).toBe(0);
    expect(cowb.pagesSaved).toBe(cowb.pageFaults);
    expect(cowp.pagesSaved).toBe(cowp.pageFaults + cowp.pagesPreSaved);
    expect(cowp.pageFaults).toBeLessThan(cowb.pageFaults);
  });

  // Another whole run of both guests.
  it('repeats exactly, but for the host time', { timeout: 60_000 }, async () => {
    const inject = { seed: 1, onIncident: () => {} };
    const again = await protectedRun(guests, { algorithm: 'cowp', inject });
    expect(withoutHostTime(again)).toEqual(withoutHostTime(result.runs));
  });

  describe('its verdict', () => {
    let run: ProtectedRun;
    let golden: GoldenStates;
    let guest: GuestSpec;

    beforeAll(async () => {
      const [tasks] = guests;
      const [first] = result.runs;
      if (tasks === undefined || first === undefined) throw new Error('the main job ran no guest');
      guest = tasks;
      run = first;
      golden = await goldenRun(new EmbeddedHypervisor(), guest.machine, [
        ...run.incidents.map(({ restored }) => restored.guestNs),
        END,
      ]);
    });

    const failing = (doctored: ProtectedRun): readonly string[] =>
      checksOf(doctored, golden, true)
        .filter(({ holds }) => !holds)
        .map(({ what }) => what);

    const withFirst = (change: (incident: Incident) => Incident): ProtectedRun => ({
      ...run,
      incidents: run.incidents.map((incident, index) => (index === 0 ? change(incident) : incident)),
    });

    const withRecovery = (change: Partial<Incident['recoveries'][number]>): ProtectedRun =>
      withFirst((incident) => ({
        ...incident,
        recoveries: incident.recoveries.map((record) => ({ ...record, ...change })),
      }));

    it('holds for the run as it was', () => {
      expect(failing(run)).toEqual([]);
    });

    it('falls with a fault that was not injected', () => {
      expect(failing({ ...run, incidents: run.incidents.slice(1) })).toEqual([
        'every fault was injected and detected',
        'every recovery belongs to an incident',
      ]);
    });

    it('falls with injections that ended in a problem', () => {
      expect(failing({ ...run, problem: 'the recovery failed' })).toEqual([
        'every fault was injected and detected',
      ]);
    });

    it('falls with a restart instead of a rollback', () => {
      const restarted = withFirst((incident) => ({
        ...incident,
        recoveries: incident.recoveries.map((record) => ({
          ...without(record, 'checkpoint'),
          rung: 'restart',
        })),
      }));
      expect(failing(restarted)).toEqual([
        'crash: solved by rollback',
        'crash: to a checkpoint taken before the injection',
      ]);
    });

    it('falls with a fault of RMK itself, and with a recovery that no incident accounts for', () => {
      expect(failing({ ...run, unexpected: ['EVT_PROTECTIONLOST of @rmk/checkpoint at 5 ns'] })).toEqual([
        'no unexpected events of RMK',
      ]);
      expect(failing({ ...run, recoveries: run.recoveries + 1 })).toEqual([
        'every recovery belongs to an incident',
      ]);
    });

    it('falls with the checkpoint taken at boot, also where that had been gone back to before', () => {
      const atBoot = withFirst((incident) => ({
        ...incident,
        restored: { ...incident.restored, guestNs: 0 },
      }));
      expect(failing(atBoot)).toContain('crash: not to the checkpoint taken at boot');
    });

    it('falls with the checkpoint taken at boot', () => {
      const takenAtNs = 0;
      expect(failing(withRecovery({ checkpoint: { takenAtNs, ageNs: 0, origin: 'first' } }))).toEqual([
        'crash: not to the checkpoint taken at boot',
      ]);
    });

    it('falls with a checkpoint taken after the injection', () => {
      const takenAtNs = (run.incidents[0]?.injectedAtNs ?? 0) + 1;
      expect(failing(withRecovery({ checkpoint: { takenAtNs, ageNs: 0, origin: 'interval' } }))).toEqual([
        'crash: to a checkpoint taken before the injection',
      ]);
    });

    it('falls with a restored state that the golden run never had', () => {
      const corrupted = withFirst(({ restored, ...incident }) => ({
        ...incident,
        restored: { ...restored, digest: { ...restored.digest, memory: 'corrupted' } },
      }));
      expect(failing(corrupted)).toEqual(['crash: restored to a state of the golden run']);
    });

    it('falls with a wrong end', () => {
      const { end } = run;
      const { state } = end;
      const doctored: readonly (readonly [Partial<ProtectedRun>, string])[] = [
        [{ end: { ...end, state: { ...state, exitCode: 1 } } }, 'exit code'],
        [{ end: { ...end, state: { ...state, output: state.output.slice(1) } } }, 'committed output'],
        [
          { end: { ...end, state: { ...state, instructions: state.instructions + 1 } } },
          'memory, registers, devices, guest time and instructions',
        ],
        [{ undoneNs: run.undoneNs + 10 }, 'domain time is longer by exactly the work lost'],
      ];
      for (const [change, what] of doctored) expect(failing({ ...run, ...change })).toEqual([what]);
    });
  });
});

function withoutHostTime(runs: readonly ProtectedRun[]): object {
  const incidents = runs.flatMap((run) =>
    run.incidents.map(({ recoveries, ...incident }) => ({
      ...incident,
      recoveries: recoveries.map((record) => without(record, 'steps', 'durationHostNs')),
    })),
  );
  return { incidents, ends: runs.map(({ end }) => end) };
}

function without<T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> {
  const copy = { ...value };
  for (const key of keys) delete copy[key];
  return copy;
}
