import { goldenRun } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { Failures, Gate, interposedPageTable } from './interposedPageTable.js';
import { Algorithm, eventsMs, guest, MS, rollBack, start, takenMs } from './protectedGuest.js';

describe('what happens while a checkpoint is under way', () => {
  /** Does something at the moment at which the driver has taken the checkpoint and the agent does not know yet. */
  async function startGated(during: () => void) {
    const gate = new Gate();
    const protectedGuest = await start({
      algorithms: [],
      plugins: [interposedPageTable(gate)],
      agent: { retain: 3 },
    });
    await protectedGuest.rig.advance('0ms');
    gate.during = during;
    return protectedGuest;
  }

  it('the last algorithm goes: protection is lost, and not restored by that checkpoint', async () => {
    let use: Disposable | undefined;
    const { rig, checkpoints } = await startGated(() => use?.[Symbol.dispose]());
    use = checkpoints.use(new Algorithm('leaving'));
    await rig.advance('17ms');
    expect(eventsMs(rig, 'EVT_PROTECTIONLOST')).toEqual([0]);
    expect(rig.events('EVT_PROTECTIONRESTORED')).toEqual([]);
    expect(rig.events('EVT_CHECKPOINTED')).toEqual([]);
    expect(checkpoints.retained).toEqual([]);
    checkpoints.use(new Algorithm('next'));
    await rig.advance('1ms');
    expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([{ atNs: 17 * MS, lostForNs: 17 * MS }]);
  });

  it('the last algorithm is replaced: the new one has its first checkpoint at once, not an interval later', async () => {
    let use: Disposable | undefined;
    const { rig, checkpoints } = await startGated(() => {
      use?.[Symbol.dispose]();
      checkpoints.use(new Algorithm('next'));
    });
    use = checkpoints.use(new Algorithm('leaving'));
    await rig.advance('1ms');
    expect(rig.events('EVT_CHECKPOINTED')).toMatchObject([
      { algorithm: 'next', checkpoint: { origin: 'first' } },
    ]);
  });

  it('the agent stops: it retains nothing, and holds no pages', async () => {
    const stopped: Promise<void>[] = [];
    const { rig, checkpoints } = await startGated(() => {
      stopped.push(rig.domain.remove('@rmk/checkpoint'));
    });
    checkpoints.use(new Algorithm('steady'));
    await rig.advance('1ms');
    await Promise.all(stopped);
    expect(checkpoints.retained).toEqual([]);
  });
});

describe('what happens while a rollback is under way', () => {
  async function startGated() {
    const gate = new Gate('rollback');
    const domain = await start({
      algorithms: [],
      plugins: [interposedPageTable(gate)],
      agent: { retain: 3 },
    });
    const use = domain.checkpoints.use(new Algorithm('steady'));
    await domain.rig.advance('7ms');
    expect(takenMs(domain.checkpoints)).toEqual([5, 0]);
    return { domain, gate, use };
  }

  it('the last algorithm goes: what the rollback opened is not retained either', async () => {
    const { domain, gate, use } = await startGated();
    gate.during = () => use[Symbol.dispose]();
    await rollBack(domain, 1);
    expect(domain.checkpoints.retained).toEqual([]);
    expect(domain.rig.events('EVT_PROTECTIONLOST')).toHaveLength(1);
  });

  it('the log is lost: what the rollback opened is retained, and reported when it is lost in turn', async () => {
    const { domain, gate } = await startGated();
    const { rig, checkpoints } = domain;
    const logLost = rig.domain.bus.topic('EVT_LOGLOST');
    gate.during = () => logLost.publish({ atNs: rig.nowNs, reason: 'the first time' });
    await rollBack(domain, 1);
    expect(checkpoints.retained).toMatchObject([{ origin: 'rollback' }]);
    logLost.publish({ atNs: rig.nowNs, reason: 'the second time' });
    expect(checkpoints.retained).toEqual([]);
    logLost.publish({ atNs: rig.nowNs, reason: 'nothing is left to lose' });
    expect(rig.events('EVT_CHECKPOINTLOST')).toMatchObject([
      { reason: 'the first time', checkpoints: 2, endsProtection: true },
      { reason: 'the second time', checkpoints: 1, endsProtection: true },
    ]);
  });
});

describe.each(['before', 'after'] as const)(
  'a P_PTABLE that throws %s the driver took the checkpoint',
  (moment) => {
    it('costs what is retained, until the next checkpoint', async () => {
      const failures = new Failures();
      const { rig, checkpoints } = await start({
        plugins: [interposedPageTable(failures)],
        agent: { retain: 3 },
        faults: 'expected',
        // Of a checkpoint that the pin keeps to itself, nobody can release the log.
        leaks: 'expected',
      });
      await rig.advance('12ms');
      failures.next = moment;
      await rig.advance('5ms');
      expect(checkpoints.retained).toEqual([]);
      const reason = `a checkpoint failed: the pin failed ${moment} the driver did it`;
      expect(rig.events('EVT_CHECKPOINTLOST')).toMatchObject([{ atNs: 15 * MS, checkpoints: 3, reason }]);
      expect(rig.events('EVT_PROTECTIONLOST')).toMatchObject([{ atNs: 15 * MS, reason }]);
      await rig.advance('15ms');
      expect(rig.events('EVT_PROTECTIONRESTORED')).toMatchObject([{ atNs: 20 * MS, lostForNs: 5 * MS }]);
      expect(
        rig.events('EVT_CHECKPOINTED').map(({ atNs, checkpoint: { origin } }) => [atNs / MS, origin]),
      ).toEqual([
        [0, 'first'],
        [5, 'interval'],
        [10, 'interval'],
        [20, 'first'],
        [25, 'interval'],
        [30, 'interval'],
      ]);
      const { undoneNs } = await rollBack({ rig, checkpoints }, 2);
      expect(undoneNs).toBe(12 * MS);
      expect(rig.guestState).toEqual(await goldenRun(guest, 20 * MS));
    });

    it('rejects the promise of whoever asked for the checkpoint', async () => {
      const failures = new Failures();
      const { rig, checkpoints } = await start({
        plugins: [interposedPageTable(failures)],
        leaks: 'expected',
      });
      await rig.advance('7ms');
      failures.next = moment;
      await expect(checkpoints.take()).rejects.toThrow(`the pin failed ${moment}`);
      expect(eventsMs(rig, 'EVT_PROTECTIONLOST')).toEqual([7]);
      await rig.advance('6ms');
      expect(eventsMs(rig, 'EVT_PROTECTIONRESTORED')).toEqual([12]);
    });
  },
);

describe('a P_PTABLE that throws instead of rolling back', () => {
  it('leaves the ring as it was, and the next try succeeds', async () => {
    const failures = new Failures();
    const domain = await start({ plugins: [interposedPageTable(failures)] });
    await domain.rig.advance('12ms');
    const before = domain.checkpoints.retained;
    failures.next = 'before';
    await expect(rollBack(domain, 1)).rejects.toThrow('the pin failed before');
    expect(domain.checkpoints.retained).toEqual(before);
    await rollBack(domain, 1);
    expect(domain.rig.guestState).toEqual(await goldenRun(guest, 5 * MS));
  });
});
