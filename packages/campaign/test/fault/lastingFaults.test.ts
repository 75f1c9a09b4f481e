import type { MachineSnapshot } from '@rmk/hypervisor-embedded';
import { describe, expect, it } from 'vitest';
import { Campaign, type ExperimentRecord, type GoldenTrack, type Place } from '../../src/index.js';
import { experimentOf, serverUnderTest } from '../campaignFixture.js';

const guest = serverUnderTest({
  interval: '4ms',
  hang: { threshold: '8ms' },
  signals: { latencyBound: { bound: '5ms', quantile: 0.95 } },
});
const SHORT = { control: 0, timeoutNs: 20e6, watchNs: 20e6 };

/** Gives a guest up early that no recovery helps. */
const hasty = serverUnderTest({
  interval: '1ms',
  retain: 2,
  hang: { threshold: '2ms' },
  signals: { latencyBound: false },
  recovery: { maxRestarts: 0 },
});

/** The same for both. */
let golden: GoldenTrack<MachineSnapshot> | undefined;

async function campaignOf(
  faults: Readonly<Record<string, object>>,
  of = guest,
): Promise<Campaign<MachineSnapshot>> {
  golden ??= await Campaign.golden(of, experimentOf({}));
  return Campaign.prepare(of, experimentOf(faults, SHORT), golden);
}

/** Records of the first so many experiments whose fault is `wanted`. */
async function records(
  campaign: Campaign<MachineSnapshot>,
  count: number,
  wanted: (place: Place) => boolean = () => true,
): Promise<readonly ExperimentRecord[]> {
  const all: ExperimentRecord[] = [];
  for (let number = 0; all.length < count; number++)
    if (wanted(campaign.draw(number).fault.place)) all.push(await campaign.run(number));
  return all;
}

/** Of the stack pointer a bit that leads out of RAM. */
const leadsAway = ({ bit, value }: Place): boolean => bit !== 31 && Number(bit) >= 24 && value === 1;

const withoutHost = (record: ExperimentRecord): object => ({ ...record, host: undefined });

describe('a bit that is stuck for a while', () => {
  it('gives the same record again, with nothing proved while it sticks', async () => {
    const campaign = await campaignOf({ 'stuck-at': { lasts: '300us' }, intermittent: { times: 3 } });
    const all = await records(campaign, 4);
    expect((await records(campaign, 4)).map(withoutHost)).toEqual(all.map(withoutHost));
    const lasted = { 'stuck-at': 300e3, intermittent: 3 * 1e3 + 2 * 99e3 };
    expect(all.map(({ proof }) => proof)).toContain('equal');
    for (const { fault, proof, watchedNs, firstUse } of all) {
      if (proof === 'equal') expect(watchedNs).toBeGreaterThanOrEqual(lasted[fault as keyof typeof lasted]);
      // It may be written again and again: that it is overwritten proves nothing.
      expect(firstUse).toBeUndefined();
    }
  });

  it('is activated if the bit would ever have been different', async () => {
    const campaign = await campaignOf({ 'stuck-at': { registers: ['x2'], lasts: '20us' } });
    for (const record of await records(campaign, 5, ({ bit }) => Number(bit) >= 24)) {
      // The stack lies in RAM: from 0x80000000 up, in few of its upper bits.
      const { bit, value } = record.place as { readonly bit: number; readonly value: number };
      expect(record.outcome === 'not-activated').toBe(value === (bit === 31 ? 1 : 0));
    }
  });

  it('in a pointer forever is not recovered from by any rollback or restart, and not called so', async () => {
    const campaign = await campaignOf({ 'stuck-at': { registers: ['x2'], lasts: 'forever' } }, hasty);
    for (const { outcome, end } of await records(campaign, 1, leadsAway)) {
      expect(outcome).toBe('unrecovered');
      expect(end).not.toBe('right');
    }
  });

  it('can be explained: the first difference is found although no snapshot holds the fault', async () => {
    const campaign = await campaignOf({ 'stuck-at': { registers: ['x2'], lasts: '100us' } });
    let number = 0;
    while (!leadsAway(campaign.draw(number).fault.place)) number++;
    const difference = await campaign.firstDifference(number);
    expect(difference?.afterInstructions).toBeGreaterThanOrEqual(0);
    expect(difference?.afterInstructions).toBeLessThan(10_000);
  });
});

describe('a timer interrupt', () => {
  it('that is lost hangs the guest without recovery, and a rollback brings it back', async () => {
    const all = await records(await campaignOf({ 'interrupt-lost': {} }), 2);
    for (const record of all)
      expect(record).toMatchObject({ outcome: 'recovered', twin: 'hang', detection: { kind: 'hang' } });
  });

  it('that comes twice is what a handler must bear', async () => {
    const all = await records(await campaignOf({ 'interrupt-duplicate': {} }), 2);
    for (const record of all) expect(record).toMatchObject({ detections: 0, end: 'right' });
  });
});
