import type { MachineSnapshot } from '@rmk/hypervisor-embedded';
import type { MicrocheckpointOptions } from '@rmk/preset-microcheckpoint';
import { describe, expect, it } from 'vitest';
import {
  Campaign,
  FAULT_KINDS,
  TRIGGER_KINDS,
  type ExperimentRecord,
  type GoldenTrack,
} from '../../src/index.js';
import { experimentOf, serverUnderTest } from '../campaignFixture.js';

const PRESET: MicrocheckpointOptions = {
  interval: '4ms',
  retain: 3,
  hang: { threshold: '8ms' },
  signals: { latencyBound: { bound: '4ms', quantile: 0.95 } },
};
const guest = serverUnderTest(PRESET);

let golden: GoldenTrack<MachineSnapshot> | undefined;

/** Three experiments with one fault of RMK itself, each with an exception after it. */
async function three(fault: string, options: object): Promise<readonly ExperimentRecord[]> {
  golden ??= await Campaign.golden(guest, experimentOf({}));
  const experiment = experimentOf({ [fault]: options }, { control: 0, timeoutNs: 20e6 });
  const campaign = await Campaign.prepare(guest, experiment, golden);
  return [await campaign.run(0), await campaign.run(1), await campaign.run(2)];
}

const rungs = ({ recoveries }: ExperimentRecord): readonly string[] => recoveries.map(({ rung }) => rung);

describe('a fault of RMK itself', () => {
  it.each<[string, string, object, object]>([
    // The target is the second newest.
    [
      'a damaged context of the target',
      'context-damage',
      { age: 1 },
      { outcome: 'recovered', rungs: ['older'] },
    ],
    [
      'a damaged context that is not needed',
      'context-damage',
      { age: 0 },
      { outcome: 'recovered', rungs: ['target'] },
    ],
    [
      'a plugin that throws after the rollback',
      'plugin-throws',
      {},
      { outcome: 'recovered', rungs: ['target'] },
    ],
    [
      'a plugin that throws at the detection',
      'plugin-throws',
      { during: 'EVT_ERRORDETECTED' },
      { outcome: 'recovered', rungs: ['target'] },
    ],
    [
      'an agent that lost its checkpoints',
      'agent-restarted',
      {},
      { outcome: 'restarted', rungs: ['restart'] },
    ],
    ['no agent, and so no recovery', 'agent-removed', {}, { outcome: 'unrecovered', rungs: [] }],
  ])('%s ends as it should', async (_, fault, options, expected) => {
    for (const record of await three(fault, options))
      expect({ outcome: record.outcome, rungs: rungs(record) }).toEqual(expected);
  });

  it('is contained, and reported as what it is', async () => {
    for (const { unexpected } of await three('plugin-throws', {}))
      expect(new Set(unexpected)).toEqual(new Set(['EVT_PLUGINFAULT']));
  });

  it('in a page log never makes a wrong guest: the damage is found, or lies where a rollback does not read', async () => {
    for (const age of [0, 1]) {
      for (const record of await three('log-damage', { age })) {
        expect(record).toMatchObject({ outcome: 'recovered', end: 'right' });
        expect(rungs(record).join()).toMatch(/^(target|older|newer)$/);
      }
    }
  });

  it('that finds no page to damage is recorded as not reached, and raises no exception', async () => {
    // Right at a checkpoint, an algorithm that saves nothing ahead has logged no page yet.
    const lazy = serverUnderTest({ ...PRESET, algorithm: 'cowb' });
    const checkpoint = TRIGGER_KINDS.find(({ name }) => name === 'checkpoint')?.choose();
    const fault = FAULT_KINDS.find(({ name }) => name === 'log-damage')?.choose({ age: 0 }, 1, checkpoint);
    if (fault === undefined) throw new Error('no fault is named log-damage');
    golden ??= await Campaign.golden(guest, experimentOf({}));
    const experiment = { ...experimentOf({}, { control: 0, timeoutNs: 20e6 }), faults: [fault] };
    const campaign = await Campaign.prepare(lazy, experiment, golden);
    expect(await campaign.run(0)).toMatchObject({
      proof: 'not-reached',
      outcome: 'not-activated',
      detections: 0,
      recoveries: [],
    });
  });
});
