import { beforeAll, describe, expect, it } from 'vitest';
import { Campaign, defineFault, type ExperimentRecord } from '../../src/index.js';
import type { MachineSnapshot } from '@rmk/hypervisor-embedded';
import { z } from 'zod';
import { experimentOf, serverUnderTest } from '../campaignFixture.js';

const guest = serverUnderTest({
  interval: '4ms',
  hang: { threshold: '8ms' },
  signals: { latencyBound: { bound: '5ms', quantile: 0.95 } },
});
const coarse = { control: 0, timeoutNs: 50e6 };

function withoutHost(record: ExperimentRecord): object {
  return { ...record, host: undefined };
}

describe('a campaign', () => {
  let campaign: Campaign<MachineSnapshot>;
  beforeAll(async () => {
    const faults = {
      signal: {},
      'wild-jump': {},
      hang: {},
      halt: {},
      'failure-exit': {},
      'register-flip': { registers: ['x18', 'x2', 'pc', 'mepc', 'x10'] },
    };
    campaign = await Campaign.prepare(guest, experimentOf(faults, coarse));
  });

  it('gives the same record for the same number, in whatever order', async () => {
    const forwards = [];
    for (const number of [0, 1, 2, 3]) forwards.push(withoutHost(await campaign.run(number)));
    const again = [];
    for (const number of [3, 0, 2, 1]) again[number] = withoutHost(await campaign.run(number));
    expect(again).toEqual(forwards);
  });

  it('fills the history before the injection, and injects at the drawn time since the newest checkpoint', async () => {
    for (const number of [4, 5, 6]) {
      const { injectAtGuestNs, phaseNs, protectAtGuestNs } = campaign.draw(number);
      const taken: number[] = [];
      let startNs = 0;
      const record = await campaign.run(number, {
        observe: (bus) => void bus.on('EVT_CHECKPOINTED', ({ atNs }) => void taken.push(atNs)),
      });
      startNs = taken[0] ?? 0;
      const injectedNs = startNs + injectAtGuestNs - protectAtGuestNs;
      const before = taken.filter((atNs) => atNs < injectedNs);
      expect(before).toHaveLength(campaign.history.retain);
      expect(injectedNs - (before.at(-1) ?? 0)).toBe(phaseNs);
      expect(record.injected.phaseNs).toBe(phaseNs);
    }
  });

  it('recovers each crash and hang of the guest by rollback', async () => {
    const seen = new Map<string, Set<string>>();
    for (let number = 0; number < 40; number++) {
      const { fault } = campaign.draw(number);
      if (fault.kind === 'register-flip' || (seen.get(fault.kind)?.size ?? 0) > 0) continue;
      const record = await campaign.run(number);
      expect(record, fault.kind).toMatchObject({ end: 'right', detections: 1, unexpected: [] });
      expect(record.twin).not.toBe('right');
      seen.set(fault.kind, new Set([record.outcome]));
    }
    expect(Object.fromEntries([...seen].map(([kind, outcomes]) => [kind, [...outcomes].join()]))).toEqual({
      signal: 'recovered',
      'failure-exit': expect.stringMatching(/^recovered/),
      'wild-jump': expect.stringMatching(/^recovered/),
      hang: 'recovered',
      halt: 'recovered',
    });
  });

  it('finds in a full run what the overwriting of a register proved', async () => {
    let proved = 0;
    for (let number = 0; proved < 2; number++) {
      if (campaign.draw(number).fault.kind !== 'register-flip') continue;
      const record = await campaign.run(number);
      if (record.proof !== 'overwritten') continue;
      proved++;
      const inFull = await campaign.run(number, { observe: () => {} });
      expect(inFull).toMatchObject({ outcome: 'not-activated', proof: 'equal', end: 'right', detections: 0 });
    }
  });
});

describe('a campaign is refused', () => {
  it.each([
    [
      'whose guest ends otherwise',
      { steadyState: { exitCode: 3, withinNs: 60e9 } },
      /RMK_ERR_GOLDEN.*exit code 0 instead of 3/,
    ],
    [
      'whose guest prints something else',
      { steadyState: { exitCode: 0, output: 'Linux', withinNs: 60e9 } },
      /does not contain "Linux"/,
    ],
    ['whose guest runs for too long', { steadyState: { exitCode: 0, withinNs: 20e6 } }, /more than 20 ms/],
    [
      'with a window before the history is full',
      { window: { fromNs: 1e6 } },
      /RMK_ERR_INPUT.*checkpoints at intervals/,
    ],
  ])('%s', async (_, changes, message) => {
    const experiment = experimentOf({ 'wild-jump': {} }, { ...changes });
    await expect(Campaign.prepare(guest, experiment)).rejects.toThrow(message);
  });

  it.each([
    [
      'register-flip',
      { registers: ['x10', 'x91'] },
      /unknown register "x91", did you mean x9\d?|unknown register "x91"/,
    ],
    ['signal', { cause: 'load-acess-fault' }, /did you mean load-access-fault/],
    ['memory-flip', { from: 0, to: 4 }, /within the memory that the guest uses/],
  ])('with a %s that the guest cannot have', async (name, options, message) => {
    const experiment = experimentOf({ [name]: options }, coarse);
    const error: unknown = await Campaign.prepare(guest, experiment).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toMatch(message);
  });
});

describe('a fault of one’s own', () => {
  it('is drawn and injected as those of RMK are', async () => {
    const zero = defineFault({
      name: 'zero-register',
      summary: 'clears a register',
      options: z.strictObject({ register: z.string() }),
      draw: (_, { register }) => ({ register }),
      async inject({ machine }, { register }) {
        await machine.writeRegister(register, 0n);
      },
      describe: ({ register }) => `${register} set to 0`,
      register: ({ register }) => register,
    });
    const faults = [zero.choose({ register: 'x2' })];
    const campaign = await Campaign.prepare(guest, { ...experimentOf({}, coarse), faults });
    const record = await campaign.run(0);
    expect(record).toMatchObject({
      fault: 'zero-register',
      what: 'x2 set to 0',
      end: 'right',
    });
    expect(record.detections).toBeGreaterThan(0);
    expect(() => zero.choose({ regster: 'x2' })).toThrow(/RMK_ERR_INPUT/);
  });
});
