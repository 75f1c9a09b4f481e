import type { MachineSnapshot } from '@rmk/hypervisor-embedded';
import { beforeAll, describe, expect, it } from 'vitest';
import { Campaign, type DrawnFault, type FirstDifference } from '../../src/index.js';
import { experimentOf, serverUnderTest } from '../campaignFixture.js';

const guest = serverUnderTest({
  interval: '4ms',
  hang: { threshold: '8ms' },
  signals: { latencyBound: { bound: '5ms', quantile: 0.95 } },
});
const coarse = { control: 0, timeoutNs: 50e6 };
const CYCLE_NS = 10;

/** Cycles from the injection until more than the flipped register differs, compared after each from `from` on. */
async function cyclesUntilDifferent(
  campaign: Campaign<MachineSnapshot>,
  number: number,
  from: number,
  atMost: number,
): Promise<number | undefined> {
  const { fault, injectAtGuestNs } = campaign.draw(number);
  const start = campaign.golden.before(injectAtGuestNs);
  const [faulty, golden] = [guest.start(start), guest.start(start)];
  const step = async (ns: number): Promise<void> => {
    for (const lone of [faulty, golden]) await lone.run({ untilNs: lone.machine.clock.now() + ns });
  };
  try {
    await step(injectAtGuestNs - start.guestNs);
    const { machine } = faulty;
    await fault.inject({
      machine,
      cycleNs: CYCLE_NS,
      symbol: () => 0n,
      advance: () => Promise.reject(new Error('not needed')),
    });
    await step(from * CYCLE_NS);
    for (let cycle = from + 1; cycle <= atMost; cycle++) {
      await step(CYCLE_NS);
      const { registers, frames, other } = machine.differenceFrom(golden.machine.snapshot());
      if (other || frames.length > 0 || registers.some((name) => name !== fault.register)) return cycle;
    }
    return undefined;
  } finally {
    await faulty.close();
    await golden.close();
  }
}

describe('the first difference of an experiment', () => {
  let campaign: Campaign<MachineSnapshot>;
  beforeAll(async () => {
    const faults = { 'register-flip': { registers: ['x10', 'x2', 'x15'] } };
    campaign = await Campaign.prepare(guest, experimentOf(faults, coarse));
  });

  /** The first experiments, with their differences. */
  async function differences(): Promise<readonly (readonly [number, DrawnFault, FirstDifference])[]> {
    const found: [number, DrawnFault, FirstDifference][] = [];
    for (let number = 0; found.length < 4; number++) {
      const difference = await campaign.firstDifference(number);
      if (difference !== undefined) found.push([number, campaign.draw(number).fault, difference]);
    }
    return found;
  }

  it('is at the instruction at which a comparison after each instruction finds it', async () => {
    for (const [number, fault, difference] of await differences()) {
      const { guestNs, registers, memory, other } = difference;
      const beyond = registers.filter(({ name }) => name !== fault.register);
      expect(beyond.length + memory.length > 0 || other).toBe(true);
      for (const { value, golden } of [...registers, ...memory]) expect(value).not.toBe(golden);
      const cycles = (guestNs - campaign.draw(number).injectAtGuestNs) / CYCLE_NS + 1;
      expect(await cyclesUntilDifferent(campaign, number, Math.max(0, cycles - 60), cycles + 1)).toBe(cycles);
    }
  });

  it('is the injection itself where the fault is more than a flipped bit', async () => {
    const jumps = await Campaign.prepare(guest, experimentOf({ 'wild-jump': {} }, coarse), campaign.golden);
    const { injectAtGuestNs } = jumps.draw(0);
    const difference = await jumps.firstDifference(0);
    expect(difference).toMatchObject({
      guestNs: injectAtGuestNs,
      afterInstructions: 0,
      memory: [],
      other: false,
    });
    expect(difference?.registers).toEqual([{ name: 'pc', value: 0n, golden: difference?.pc.golden }]);
  });

  it('does not exist where the register is overwritten', async () => {
    for (let number = 0; ; number++) {
      if ((await campaign.run(number)).proof !== 'overwritten') continue;
      expect(await campaign.firstDifference(number)).toBeUndefined();
      return;
    }
  });
});
