import { checkpoint } from '@rmk/checkpoint';
import { CHECKPOINTS, type EpochReport, type Plugin } from '@rmk/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldenRun } from '../../goldenRun.js';
import { startRig, type Rig } from '../../rig.js';
import { allPins } from '../allPins.js';
import { nothingAhead } from '../nothingAhead.js';
import { algorithmOf } from './algorithmOf.js';
import { copyOf, expectPlan, histories, planValue } from './planContract.js';
import { GUEST, noteStates, RETAIN, rollBack, steps, walk } from './rollbacks.js';

const INTERVAL = '5ms';
const INTERVAL_NS = 5e6;
const PROPERTY_RUNS = 12;

export interface CheckpointAlgorithmOptions {
  /** What the plugin needs besides the pins and the agent, which are there always. */
  readonly besides?: () => readonly Plugin[];
}

/**
 * What an algorithm promises, as tests in virtual time: its plans are plans and depend on nothing but the history,
 * every rollback is exact, the guest notices nothing, and it can be swapped while the guest runs.
 */
export function describeCheckpointAlgorithm(
  name: string,
  plugin: () => Plugin,
  { besides = () => [] }: CheckpointAlgorithmOptions = {},
): void {
  describe(`the checkpoint algorithm ${name}`, { sequential: true }, () => {
    const startWith = (...algorithms: readonly Plugin[]): Promise<Rig> =>
      startRig({
        ...GUEST,
        plugins: [
          ...allPins(plugin()),
          checkpoint({ interval: INTERVAL, retain: RETAIN }),
          ...besides(),
          ...algorithms,
        ],
      });
    planTests(plugin);
    reportTests(plugin, startWith);
    rollbackTests(plugin, startWith);
    swapTests(plugin, startWith);
  });
}

type StartWith = (...algorithms: readonly Plugin[]) => Promise<Rig>;

function planTests(plugin: () => Plugin): void {
  it('gives a plan that any driver takes, whatever the history', async () => {
    const algorithm = await algorithmOf(plugin());
    fc.assert(fc.property(histories, (history) => expectPlan(algorithm.plan(history))));
  });

  it('gives the same plan for the same history, whatever it was asked in between', async () => {
    const algorithm = await algorithmOf(plugin());
    const other = await algorithmOf(plugin());
    fc.assert(
      fc.property(histories, histories, (history, another) => {
        const plan = planValue(algorithm.plan(history));
        algorithm.plan(another);
        expect(planValue(algorithm.plan(history))).toEqual(plan);
        expect(planValue(other.plan(history)), 'of another instance').toEqual(plan);
      }),
    );
  });

  it('forgets its history after a rollback: without history it plans as at the first checkpoint', async () => {
    const first = planValue((await algorithmOf(plugin())).plan([]));
    const algorithm = await algorithmOf(plugin());
    fc.assert(
      fc.property(histories, (history) => {
        algorithm.plan(history);
        expect(planValue(algorithm.plan([]))).toEqual(first);
      }),
    );
  });

  it('changes nothing in the history that it is shown', async () => {
    const algorithm = await algorithmOf(plugin());
    fc.assert(
      fc.property(histories, (history) => {
        const before = copyOf(history);
        algorithm.plan(history);
        expect(history).toEqual(before);
      }),
    );
  });
}

function reportTests(plugin: () => Plugin, startWith: StartWith): void {
  it('has its checkpoints taken: none of its plans fails or is refused', async () => {
    const rig = await startWith(plugin());
    const { name } = await algorithmOf(plugin());
    await rig.advance('101ms');
    expect(rig).not.toHaveFaulted();
    expect(rig).toHaveCheckpointed({ algorithm: name, times: 21 });
    expect(rig).toBeProtected();
  });

  it('receives the results of its plans, in consistent numbers', async () => {
    const rig = await startWith(plugin());
    await rig.advance('101ms');
    for (const { updated, pageFaults, pagesSaved, pagesPreSaved, preSavedInVain } of epochsOf(rig)) {
      expect(pagesSaved, 'saved').toBe(updated.length + preSavedInVain);
      expect(pageFaults, 'page faults').toBe(pagesSaved - pagesPreSaved);
      expect(preSavedInVain, 'in vain').toBeLessThanOrEqual(pagesPreSaved);
    }
  });

  it('changes nothing of what is written, and causes no page fault that would not have been', async () => {
    const [rig, plain] = [await startWith(plugin()), await startWith(nothingAhead())];
    for (const one of [rig, plain]) await one.advance('101ms');
    expect(epochsOf(rig).map(({ updated }) => updated)).toEqual(
      epochsOf(plain).map(({ updated }) => updated),
    );
    for (const [index, { pageFaults }] of epochsOf(rig).entries()) {
      expect(pageFaults).toBeLessThanOrEqual(epochsOf(plain)[index]?.pageFaults ?? 0);
    }
  });

  it('is nothing that the guest can see', async () => {
    const rig = await startWith(plugin());
    await rig.advance('101ms');
    expect(rig.guestState).toEqual(await goldenRun(GUEST, rig.machine.guestNs));
  });
}

function epochsOf(rig: Rig): readonly EpochReport[] {
  return rig.events('EVT_CHECKPOINTED').flatMap(({ closed }) => closed ?? []);
}

function rollbackTests(plugin: () => Plugin, startWith: StartWith): void {
  it.each(Array.from({ length: RETAIN }, (_, age) => age))(
    'leads back to the retained checkpoint number %i, and the guest ends as if nothing had been',
    async (age) => {
      const rig = await startWith(plugin());
      const stateAt = noteStates(rig);
      await rig.advance('23ms');
      await rollBack(rig, age, stateAt);
      await rig.advance('17ms');
      expect(rig.guestState).toEqual(await goldenRun(GUEST, rig.machine.guestNs));
    },
  );

  it('leads back exactly, whatever was written, taken and rolled back before', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const rig = await startWith(plugin());
        const stateAt = noteStates(rig);
        await rig.advance('1ms');
        await rig.domain.get(CHECKPOINTS).take();
        await walk(rig, all, stateAt);
        await rollBack(rig, RETAIN, stateAt);
        await rig.stop();
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });
}

function swapTests(plugin: () => Plugin, startWith: StartWith): void {
  it('takes over from another algorithm and gives way to it, without a gap in protection', async () => {
    const rig = await startWith(nothingAhead());
    const stateAt = noteStates(rig);
    const { name: tested } = await algorithmOf(plugin());
    const { name: packageName } = plugin().definition;
    await rig.advance('11ms');
    for (let swap = 0; swap < 3; swap++) {
      await rig.domain.install(plugin());
      await rig.advance('10ms');
      expect(rig.events('EVT_CHECKPOINTED').at(-1)?.algorithm).toBe(tested);
      await rig.domain.remove(packageName);
      await rig.advance('10ms');
      expect(rig.events('EVT_CHECKPOINTED').at(-1)?.algorithm).toBe('rmk-plugin-nothing-ahead');
    }
    expect(rig).not.toHaveLostProtection();
    expect(rig).not.toHavePublished('EVT_CHECKPOINTLOST');
    const takenAtNs = rig.events('EVT_CHECKPOINTED').map(({ atNs }) => atNs);
    expect(takenAtNs, 'one each interval').toEqual(takenAtNs.map((_, index) => index * INTERVAL_NS));
    await rollBack(rig, RETAIN - 1, stateAt);
  });

  it('leads back over checkpoints of both algorithms', async () => {
    for (const age of [1, 3]) {
      const rig = await startWith(nothingAhead());
      const stateAt = noteStates(rig);
      await rig.advance('6ms');
      await rig.domain.install(plugin());
      await rig.domain.remove('rmk-plugin-nothing-ahead');
      await rig.advance('10ms');
      await rollBack(rig, age, stateAt);
      expect(rig).not.toHaveLostProtection();
    }
  });

  it('ends protection when it is the only one and is removed, and brings it back when it is installed again', async () => {
    const rig = await startWith(plugin());
    await rig.advance('12ms');
    await rig.domain.remove(plugin().definition.name);
    expect(rig).toHaveLostProtection({ times: 1 });
    await rig.advance('12ms');
    expect(rig).not.toBeProtected();
    await rig.domain.install(plugin());
    await rig.advance('12ms');
    expect(rig).toBeProtected();
    expect(rig).not.toHaveFaulted();
  });
}
