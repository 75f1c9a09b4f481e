import type { MachineSnapshot } from '@rmk/hypervisor-embedded';
import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import {
  Campaign,
  defineFault,
  defineTrigger,
  FAULT_KINDS,
  TRIGGER_KINDS,
  type ChosenFault,
  type ChosenTrigger,
  type Experiment,
  type ExperimentRecord,
  type GoldenTrack,
} from '../../src/index.js';
import { experimentOf, serverUnderTest } from '../campaignFixture.js';

const guest = serverUnderTest({
  interval: '4ms',
  hang: { threshold: '8ms' },
  signals: { latencyBound: { bound: '5ms', quantile: 0.95 } },
});

function triggerNamed(name: string, options: object): ChosenTrigger {
  const kind = TRIGGER_KINDS.find((each) => each.name === name);
  if (kind === undefined) throw new Error(`no trigger is named ${name}`);
  return kind.choose(options);
}

let golden: GoldenTrack<MachineSnapshot> | undefined;

async function campaignWith(
  trigger: ChosenTrigger,
  fault = 'wild-jump',
  options: object = {},
  changes: Partial<Experiment> = {},
): Promise<Campaign<MachineSnapshot>> {
  const kind = FAULT_KINDS.find((each) => each.name === fault);
  if (kind === undefined) throw new Error(`no fault is named ${fault}`);
  return campaignOf(kind.choose(options, 1, trigger), changes);
}

async function campaignOf(
  fault: ChosenFault,
  changes: Partial<Experiment> = {},
): Promise<Campaign<MachineSnapshot>> {
  const experiment = experimentOf({}, { control: 0, timeoutNs: 20e6, ...changes });
  golden ??= await Campaign.golden(guest, experiment);
  return Campaign.prepare(guest, { ...experiment, faults: [fault] }, golden);
}

/** Events of the protected run, from the one that begins the experiment on. */
async function traced(
  campaign: Campaign<MachineSnapshot>,
  number: number,
): Promise<{ readonly record: ExperimentRecord; readonly events: readonly string[] }> {
  const events: string[] = [];
  const record = await campaign.run(number, {
    observe(bus) {
      for (const name of [
        'EVT_CHECKPOINTED',
        'EVT_ERRORDETECTED',
        'EVT_ROLLEDBACK',
        'EVT_RECOVERED',
      ] as const)
        bus.on(name, () => void events.push(name));
    },
  });
  return { record, events };
}

describe('a trigger in the guest', () => {
  it('injects at a guest time', async () => {
    const campaign = await campaignWith(triggerNamed('time', { at: '30ms' }));
    for (const number of [0, 1])
      expect((await campaign.run(number)).injected).toMatchObject({ guestNs: 30e6 });
  });

  it('injects before an instruction, also where the guest was idle in between', async () => {
    const campaign = await campaignWith(triggerNamed('instruction', { count: 400_000 }));
    for (const number of [0, 1])
      expect((await campaign.run(number)).injected).toMatchObject({ instructions: 400_000 });
  });

  it('injects where a symbol is next, at an interrupt too', async () => {
    for (const symbol of ['store_put', 'trap_entry']) {
      const campaign = await campaignWith(triggerNamed('symbol', { symbol }));
      const drawn = campaign.draw(0);
      const record = await campaign.run(0);
      expect(record).toMatchObject({ trigger: 'symbol', outcome: 'recovered' });
      expect(record.injected.guestNs).toBeGreaterThanOrEqual(drawn.injectAtGuestNs);
      const lone = guest.start(campaign.golden.before(record.injected.guestNs));
      await lone.run({ untilNs: record.injected.guestNs - lone.machine.guestNs });
      expect(lone.machine.runTo(Number(guest.symbol(symbol)), 0)).toBe(true);
      await lone.close();
    }
  });

  it('that never comes injects nothing, and says so', async () => {
    const campaign = await campaignWith(triggerNamed('address', { address: 4 }));
    expect(await campaign.run(0)).toMatchObject({ proof: 'not-reached', outcome: 'not-activated' });
  });

  it('is refused where the history would not be full, or without such a symbol', async () => {
    const early = await campaignWith(triggerNamed('time', { at: '1ms' }));
    await expect(early.run(0)).rejects.toThrow(/RMK_ERR_INPUT.*time is due at 1 ms.*history is not full/);
    await expect(campaignWith(triggerNamed('symbol', { symbol: 'tock' }))).rejects.toMatchObject({
      problems: [{ path: 'faults[0]', message: 'the guest has no symbol tock. Name one that its ELF has' }],
    });
  });
});

describe('a trigger in RMK', () => {
  it('injects in the middle of a checkpoint: before anyone hears of it', async () => {
    const { record, events } = await traced(await campaignWith(triggerNamed('checkpoint', {}), 'signal'), 0);
    expect(record).toMatchObject({ trigger: 'checkpoint', outcome: 'recovered', twin: 'hang' });
    const detected = events.indexOf('EVT_ERRORDETECTED');
    // The checkpoint that it hit is announced after the detection.
    expect(events.slice(detected, detected + 2)).toEqual(['EVT_ERRORDETECTED', 'EVT_CHECKPOINTED']);
  });

  it('injects in the middle of a rollback, which undoes it', async () => {
    const { record, events } = await traced(
      await campaignWith(triggerNamed('rollback', {}), 'memory-flip'),
      0,
    );
    expect(record).toMatchObject({ trigger: 'rollback', outcome: 'recovered', detections: 1 });
    expect(events.filter((name) => name === 'EVT_ROLLEDBACK')).toHaveLength(1);
  });

  it('hits the very context that the rollback needs: an older one is taken', async () => {
    const campaign = await campaignWith(triggerNamed('rollback', {}), 'context-damage', { age: 2 });
    const { record } = await traced(campaign, 0);
    expect(record.end).toBe('right');
    expect(record.recoveries.map(({ rung }) => rung)[0]).toMatch(/target|older/);
  });

  it('injects at an event, and the run without recovery has the fault at the same instruction', async () => {
    const trigger = triggerNamed('event', { event: 'EVT_CHECKPOINTED', occurrence: 2 });
    const campaign = await campaignWith(trigger);
    const { history } = campaign;
    const { injectAtGuestNs } = campaign.draw(0);
    const record = await campaign.run(0);
    expect(record.twin).toBe('hang');
    const laterNs = record.injected.guestNs - injectAtGuestNs;
    expect(laterNs).toBeGreaterThanOrEqual(history.intervalNs);
    expect(laterNs).toBeLessThanOrEqual(2 * history.intervalNs);
  });

  it('counts the time for which a fault is watched from the injection, not from where it begins to wait', async () => {
    const watchNs = 6e6;
    const trigger = triggerNamed('event', { event: 'EVT_CHECKPOINTED', occurrence: 3 });
    const window = { toNs: 30e6 };
    const campaign = await campaignWith(trigger, 'memory-flip', {}, { watchNs, window });
    const watched: number[] = [];
    for (let number = 0; number < 4; number++) {
      const { proof, watchedNs } = await campaign.run(number);
      if (proof === 'dormant') watched.push(watchedNs);
    }
    expect(watched).not.toEqual([]);
    for (const watchedNs of watched) {
      expect(watchedNs).toBeGreaterThanOrEqual(watchNs);
      // The next point of the grid.
      expect(watchedNs).toBeLessThanOrEqual(watchNs + campaign.experiment.gridNs);
    }
  });

  it('that never comes injects nothing, and says so', async () => {
    const campaign = await campaignWith(triggerNamed('event', { event: 'EVT_VMGONE' }));
    expect(await campaign.run(0)).toMatchObject({ proof: 'not-reached', outcome: 'not-activated' });
  });

  it.each([
    ['checkpoint', {}, 'interrupt-duplicate', /has to let the guest run.*trigger checkpoint holds it/],
    ['event', { event: 'EVT_CHECKPOINTED' }, 'interrupt-duplicate', /trigger event holds it/],
    ['rollback', {}, 'agent-restarted', /waits for the agent.*trigger rollback holds/],
    ['checkpoint', {}, 'agent-removed', /waits for the agent.*trigger checkpoint holds/],
  ])('%s %j refuses %s, which cannot be injected there', async (trigger, options, fault, message) => {
    await expect(campaignWith(triggerNamed(trigger, options), fault)).rejects.toMatchObject({
      problems: [{ path: 'faults[0]', message: expect.stringMatching(message) as string }],
    });
  });

  it.each([
    ['checkpoint', {}],
    ['event', { event: 'EVT_CHECKPOINTED' }],
  ])('%s %j ends the experiment with the error of an injection that fails', async (trigger, options) => {
    const undeclared = defineFault({
      name: 'undeclared',
      summary: 'lets the guest run, and does not say so',
      options: z.strictObject({}),
      draw: () => ({}),
      inject: ({ advance }) => advance('1us'),
      describe: () => 'nothing',
    });
    const campaign = await campaignOf(undeclared.choose({}, 1, triggerNamed(trigger, options)));
    await expect(campaign.run(0)).rejects.toThrow(/RMK_ERR_INPUT.*Choose another trigger/);
  });

  it('at an event restarts the agent, which is not held there', async () => {
    const trigger = triggerNamed('event', { event: 'EVT_CHECKPOINTED' });
    const record = await (await campaignWith(trigger, 'agent-restarted')).run(0);
    expect(record).toMatchObject({ outcome: 'restarted', recoveries: [{ rung: 'restart' }] });
  });
});

describe('a trigger of one’s own', () => {
  it('is chosen as those of RMK are', async () => {
    const atSecondRequest = defineTrigger({
      name: 'request',
      summary: 'where the guest reads a request for the n-th time after the drawn moment',
      options: z.strictObject({ nth: z.int().min(1) }),
      async reach({ machine, symbol, advance, cycleNs }, { nth }) {
        for (let seen = 1; ; seen++) {
          if (!machine.runTo(Number(symbol('request_read')), 1_000_000)) return false;
          if (seen === nth) return true;
          await advance(`${cycleNs}ns`);
        }
      },
    });
    const first = await campaignWith(atSecondRequest.choose({ nth: 1 }));
    const second = await campaignWith(atSecondRequest.choose({ nth: 2 }));
    const [one, two] = [await first.run(0), await second.run(0)];
    expect(one).toMatchObject({ trigger: 'request', outcome: 'recovered' });
    expect(two.injected.guestNs).toBeGreaterThan(one.injected.guestNs);
    expect(() => atSecondRequest.choose({ nth: 0 })).toThrow(/RMK_ERR_INPUT.*trigger request/);
    expect(() => defineTrigger({ name: 'none', summary: '', options: z.strictObject({}) })).toThrow(
      /either reach or arm/,
    );
  });
});
