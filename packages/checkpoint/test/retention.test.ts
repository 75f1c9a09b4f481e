import { definePlugin, P_VCPU } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { cowp } from '@rmk/cowp';
import { pinPtable } from '@rmk/pin-ptable';
import { goldenRun } from '@rmk/testing';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detector, eventsMs, guest, MS, retainedAt, rollBack, start, takenMs } from './protectedGuest.js';

describe('the ring of checkpoints', () => {
  it('reaches back as far as the slowest detector needs: ceil(T_B / T_ck) + 1, and at least 2', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 60 * MS }), { maxLength: 3 }),
        fc.integer({ min: 1, max: 20 }),
        async (boundsNs, intervalMs) => {
          const { rig, checkpoints } = await start({
            agent: { interval: `${intervalMs}ms` },
            algorithms: [
              cowb(),
              ...boundsNs.map((boundNs, i) => detector(boundNs, `rmk-plugin-detector-${i}`)),
            ],
          });
          const longestNs = Math.max(0, ...boundsNs);
          expect(checkpoints.retain).toBe(Math.max(2, Math.ceil(longestNs / (intervalMs * MS)) + 1));
          await rig.stop();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('fills up to that length and stays there, newest first', async () => {
    const { rig, checkpoints } = await start({ algorithms: [cowb(), detector(12 * MS)] });
    expect(takenMs(checkpoints)).toEqual([]);
    await rig.advance('1ms');
    expect(takenMs(checkpoints)).toEqual([0]);
    await rig.advance('11ms');
    expect(takenMs(checkpoints)).toEqual([10, 5, 0]);
    await rig.advance('30ms');
    expect(takenMs(checkpoints)).toEqual([40, 35, 30, 25]);
  });

  it('has the length that is set, whatever the detectors need, with a warning', async () => {
    const { rig, checkpoints } = await start({
      agent: { retain: 3 },
      algorithms: [cowb(), detector(12 * MS)],
    });
    await rig.advance('42ms');
    expect(takenMs(checkpoints)).toEqual([40, 35, 30]);
    expect(rig.events('EVT_WARNING').map(({ code }) => code)).toEqual(['RMK_WARN_HISTORY']);
  });

  it('leads back to the exact state of each of its checkpoints', async () => {
    for (const age of [0, 1, 2, 3]) {
      const domain = await start({ agent: { retain: 4 }, algorithms: [cowp()] });
      await domain.rig.advance('22.22ms');
      const { takenAtNs } = retainedAt(domain.checkpoints, age);
      const { reopened, undoneNs } = await rollBack(domain, age);
      expect(domain.rig.guestState).toEqual(await goldenRun(guest, takenAtNs));
      expect(undoneNs).toBe(22.22 * MS - takenAtNs);
      expect(reopened).toMatchObject({ origin: 'rollback', takenAtNs: 22.22 * MS });
      expect(domain.checkpoints.retained[0]).toBe(reopened);
      expect(domain.checkpoints.retained).toHaveLength(4 - age);
    }
  });

  it('goes further back after a rollback, and back again, with epochs that are not numbered in a row', async () => {
    const domain = await start({ agent: { retain: 6 }, algorithms: [cowp()] });
    const { rig } = domain;
    await rig.advance('27ms');
    await rollBack(domain, 2);
    await rig.advance('7ms');
    await rollBack(domain, 3);
    expect(rig.guestState).toEqual(await goldenRun(guest, 5 * MS));
    await rig.advance('3ms');
    await rollBack(domain, 0);
    expect(rig.guestState).toEqual(await goldenRun(guest, 5 * MS));
    await rollBack(domain, 1);
    expect(rig.guestState).toEqual(await goldenRun(guest, 0));
  });

  it('gives nothing but retained checkpoints', async () => {
    const { rig, checkpoints } = await start();
    await rig.advance('1ms');
    const first = retainedAt(checkpoints, 0);
    await rig.advance('20ms');
    await rig.domain.get(P_VCPU).suspend();
    await expect(checkpoints.rollback(first)).rejects.toMatchObject({ code: 'RMK_ERR_UNPROTECTED' });
    await expect(checkpoints.rollback({ ...retainedAt(checkpoints, 0) })).rejects.toMatchObject({
      code: 'RMK_ERR_UNPROTECTED',
    });
    expect(takenMs(checkpoints)).toEqual([20, 15]);
  });

  it('is as it was after a rollback that is refused because the VM runs', async () => {
    const { rig, checkpoints } = await start();
    await rig.advance('12ms');
    const before = checkpoints.retained;
    await expect(checkpoints.rollback(retainedAt(checkpoints, 1))).rejects.toMatchObject({
      code: 'RMK_ERR_STATE',
    });
    expect(checkpoints.retained).toEqual(before);
    await rig.advance('5ms');
    expect(eventsMs(rig, 'EVT_CHECKPOINTED')).toEqual([0, 5, 10, 15]);
    expect(rig.events('EVT_PROTECTIONLOST')).toEqual([]);
  });
});

describe('the derived number of checkpoints', () => {
  it('is two without a detector, and 256 at most, with a warning', async () => {
    const without = await start();
    expect(without.checkpoints.retain).toBe(2);
    const { rig, checkpoints } = await start({ algorithms: [cowb(), detector(3600e9)] });
    expect(checkpoints.retain).toBe(256);
    expect(rig.events('EVT_WARNING').map(({ code }) => code)).toEqual(['RMK_WARN_HISTORY']);
  });

  it('limits the reach of the ring too', async () => {
    const { rig, checkpoints } = await start({
      agent: { interval: '100us' },
      algorithms: [cowb(), detector(3600e9)],
    });
    await rig.advance('30ms');
    expect(checkpoints.retained).toHaveLength(256);
  });

  it.each([1e300, Number.MAX_SAFE_INTEGER + 1, Infinity])(
    'cannot come of a bound of %d ns',
    async (boundNs) => {
      await expect(start({ algorithms: [cowb(), detector(boundNs)] })).rejects.toMatchObject({
        code: 'RMK_ERR_MANIFEST',
      });
    },
  );
});

describe('checkpoints asked for between two intervals', () => {
  it('do not shorten a history that is derived from the detectors', async () => {
    const slow = definePlugin({
      name: 'slow-detector',
      version: '1.0.0',
      rmk: '^0.2.0',
      modules: [],
      detects: () => [{ kind: 'slow', boundNs: 18 * MS }],
    });
    const { rig, checkpoints } = await start({ plugins: [pinPtable(), slow()] });
    await rig.advance('42ms');
    for (let asked = 0; asked < 20; asked++) await checkpoints.take();
    const oldest = checkpoints.retained.at(-1)?.takenAtNs ?? rig.nowNs;
    expect(rig.nowNs - oldest).toBeGreaterThanOrEqual(18 * MS);
    await rig.advance('40ms');
    expect(checkpoints.retained).toHaveLength(checkpoints.retain);
  });
});

describe('a log area that is too small for the ring', () => {
  it('keeps as many checkpoints as it has room for, and blames nobody', async () => {
    const { rig, checkpoints } = await start({
      agent: { retain: 50 },
      algorithms: [cowp()],
      logPages: 600,
    });
    await rig.advance('200ms');
    const lost = rig.events('EVT_CHECKPOINTLOST');
    expect(lost.length).toBeGreaterThan(8);
    const dropped = lost.filter(({ endsProtection }) => !endsProtection);
    expect(new Set(dropped.map((event) => event.checkpoints))).toEqual(new Set([1]));
    expect(checkpoints.retained.length).toBeGreaterThanOrEqual(1);
    expect(rig.domain.plugins.filter(({ state, faults }) => state !== 'active' || faults > 0)).toEqual([]);
    expect(rig.guestState).toEqual(await goldenRun(guest, 200 * MS));
  });
});

describe('a full log area', () => {
  it('costs the checkpoints, not the guest, and the next one protects it again', async () => {
    const { rig, checkpoints } = await start({
      logPages: 60,
      agent: { retain: 50 },
      record: ['EVT_LOGLOST'],
    });
    await rig.advance('40ms');
    const losses = rig.events('EVT_CHECKPOINTLOST');
    expect(losses.length).toBeGreaterThan(0);
    expect(losses.every(({ reason }) => reason.startsWith('the log area of 60 pages is full'))).toBe(true);
    expect(rig.events('EVT_PROTECTIONLOST')).toHaveLength(losses.length);
    for (const [i, { atNs }] of rig.events('EVT_PROTECTIONRESTORED').entries()) {
      const lostAtNs = losses[i]?.atNs ?? NaN;
      expect(atNs).toBe(Math.ceil(lostAtNs / (5 * MS)) * 5 * MS);
    }
    expect(rig.guestState).toEqual(await goldenRun(guest, 40 * MS));
    await checkpoints.take();
    expect(rig.events('EVT_PROTECTIONRESTORED')).toHaveLength(losses.length);
  });
});

describe('the log area', () => {
  it('holds the logs of the ring and no other pages, over hundreds of checkpoints, requests and rollbacks', async () => {
    const LOG_PAGES = 1000;
    const domain = await start({ agent: { interval: '500us', retain: 3 }, logPages: LOG_PAGES });
    const { rig, checkpoints } = domain;
    for (let round = 0; round < 20; round++) {
      await rig.advance('5ms');
      await checkpoints.take();
      if (round % 3 === 0) await rollBack(domain, round % 2);
      await rig.advance('1.2ms');
      await checkpoints.take();
      // The log of the newest is empty with COWB; the others are of the epochs that were closed last.
      const closed = rig.events('EVT_CHECKPOINTED').slice(-2);
      const held = closed.reduce((pages, event) => pages + (event.closed?.pagesSaved ?? 0), 0);
      expect(rig.machine.freeLogPages).toBe(LOG_PAGES - held);
    }
    expect(rig.events('EVT_CHECKPOINTED').length).toBeGreaterThan(250);
    await rig.domain.stop();
    expect(rig.machine.freeLogPages).toBe(LOG_PAGES);
  });

  it('is given back by a removed agent, and nothing is tracked any more', async () => {
    const { rig } = await start({ algorithms: [cowp()], record: ['EVT_PAGEFAULT'] });
    await rig.advance('12ms');
    const faults = rig.events('EVT_PAGEFAULT').length;
    expect(faults).toBeGreaterThan(0);
    await rig.domain.remove('@rmk/checkpoint', { dependants: 'remove' });
    const { freeLogPages } = rig.machine;
    await rig.advance('20ms');
    expect(rig.machine.freeLogPages).toBe(freeLogPages);
    expect(freeLogPages).toBe(2 * rig.machine.memoryPages);
    expect(rig.events('EVT_PAGEFAULT')).toHaveLength(faults);
    expect(rig.guestState).toEqual(await goldenRun(guest, 32 * MS));
  });
});
