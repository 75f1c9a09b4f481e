import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { checkpoint } from '@rmk/checkpoint';
import { CHECKPOINTS, DETECTIONS, P_PTABLE, P_VCPU, PAGE_BYTES, type Plugin } from '@rmk/core';
import { cowb } from '@rmk/cowb';
import { startFakeRig, type FakeRig } from '@rmk/testing';
import { describe, expect, it } from 'vitest';
import { silentCorruptionDetector } from '../src/index.js';
import { gatedPageTable } from './gatedPageTable.js';

const MS = 1e6;
type Options = Parameters<typeof silentCorruptionDetector>[0];

/** Two pages, and parts of two with one between them: five blocks. */
const CODE = { name: 'code', address: 0, bytes: 2 * PAGE_BYTES };
const TABLE = { name: 'table', address: 8 * PAGE_BYTES + 0x10, bytes: 2 * PAGE_BYTES };
const REGIONS = [CODE, TABLE];
const BLOCKS = [0, 0x1000, 0x8010, 0x9000, 0xa000] as const;

/**
 * With a checkpoint each 10 ms, and one block at each: block 0 at 0 ms, block 1 at 10 ms, block 0 again at 50 ms, if
 * nothing else is given.
 */
async function start(
  options: Options = { regions: REGIONS, within: '60ms' },
  plugins: readonly Plugin[] = [],
): Promise<FakeRig> {
  const rig = await startFakeRig({
    plugins: [
      checkpoint({ interval: '10ms', retain: 6 }),
      cowb(),
      silentCorruptionDetector(options),
      ...plugins,
    ],
    record: ['EVT_REGIONCORRUPTED'],
  });
  // Before time passes nothing is looked at but the references.
  rig.pins.ptable.calls.length = 0;
  return rig;
}

const flip = (rig: FakeRig, address: number) => rig.machine.write(address, Uint8Array.of(1));
const putRight = (rig: FakeRig, address: number) => rig.machine.write(address, Uint8Array.of(0));

/** When, where and since when, in ms. */
const found = (rig: FakeRig) =>
  rig
    .events('EVT_ERRORDETECTED')
    .map(({ atNs, cause, suspectSinceNs = NaN }) => [atNs / MS, cause, suspectSinceNs / MS] as const);

/** Addresses that were read since the last time that this was asked. */
const read = (rig: FakeRig) => rig.pins.ptable.calls.splice(0).map(({ given: [address] }) => address);

async function rollBack(rig: FakeRig, takenAtMs: number): Promise<void> {
  const checkpoints = rig.domain.get(CHECKPOINTS);
  const to = checkpoints.retained.find(({ takenAtNs }) => takenAtNs === takenAtMs * MS);
  if (to === undefined) throw new Error(`no checkpoint of ${takenAtMs} ms is retained`);
  const suspension = await rig.domain.get(P_VCPU).suspend();
  await checkpoints.rollback(to);
  await rig.domain.get(P_VCPU).resume(suspension);
}

describe('a changed block', () => {
  it('is found at its turn, with its place, what was expected, and since when it may be wrong', async () => {
    const rig = await start();
    await rig.advance('23ms');
    await flip(rig, 0x8010);
    await rig.advance('46.999999ms');
    expect(found(rig)).toEqual([]);
    await rig.advance('1ms');
    expect(found(rig)).toEqual([[70, 'table has changed at 0x8010', 20]]);
    const zeros = new Uint8Array(0xff0);
    expect(rig.events('EVT_REGIONCORRUPTED')).toMatchObject([
      {
        atNs: 70 * MS,
        region: 'table',
        address: 0x8010,
        bytes: 0xff0,
        lastRightNs: 20 * MS,
        expectedCrc32: crc32(zeros),
        foundCrc32: crc32(zeros.with(0, 1)),
      },
    ]);
    expect(rig.events('EVT_ERRORDETECTED')[0]).toMatchObject({
      kind: 'silent-corruption',
      source: '@rmk/silent-corruption-detector',
    });
  });

  it.each(BLOCKS.map((address, turn) => [address, turn] as const))(
    'at 0x%x has turn %d of five',
    async (address, turn) => {
      const rig = await start();
      await rig.advance('45ms');
      await flip(rig, address);
      await rig.advance('50ms');
      expect(found(rig).map(([atMs, , sinceMs]) => [atMs, sinceMs])).toEqual([[50 + 10 * turn, 10 * turn]]);
    },
  );

  it('is found with the others of its turn, suspect since the earliest of them was right', async () => {
    for (const [first, second] of [
      [0x0, 0x1000],
      [0x1000, 0x0],
    ] as const) {
      // Three blocks, then two.
      const rig = await start({ regions: REGIONS, within: '30ms' });
      await rig.advance('5ms');
      await flip(rig, first);
      await rig.advance('20ms');
      await flip(rig, second);
      await rig.advance('20ms');
      expect(found(rig)).toEqual([
        [20, `code has changed at 0x${first.toString(16)}`, 0],
        [40, 'code has changed at 0x0 and 1 more', 0],
      ]);
    }
  });

  it('is none where it is right again by its turn', async () => {
    const rig = await start();
    await rig.advance('23ms');
    await flip(rig, 0x8010);
    await rig.advance('40ms');
    await putRight(rig, 0x8010);
    await rig.advance('100ms');
    expect(found(rig)).toEqual([]);
    expect(rig.events('EVT_REGIONCORRUPTED')).toEqual([]);
  });
});

describe('the time in which every block has its turn', () => {
  it.each([
    ['20ms', 1],
    ['29ms', 1],
    ['30ms', 2],
    ['40ms', 3],
    ['60ms', 5],
    ['1s', 5],
  ] as const)('is an interval less than %s: %d checkpoints', async (within, epochs) => {
    const rig = await start({ regions: REGIONS, within });
    await rig.advance(`${10 * epochs - 5}ms`);
    const once = read(rig);
    await rig.advance(`${10 * epochs}ms`);
    expect(read(rig).length).toBe(once.length);
    expect(rig.domain.get(DETECTIONS).all).toContainEqual({
      plugin: '@rmk/silent-corruption-detector',
      kind: 'silent-corruption',
      boundNs: within === '1s' ? 1000 * MS : Number.parseInt(within, 10) * MS,
    });
  });

  it('has to be two intervals at least', async () => {
    await expect(start({ regions: REGIONS, within: '19ms' })).rejects.toThrow(
      'options.within: 19ms is less than two checkpoint intervals of 10 ms',
    );
  });
});

describe('after a rollback', () => {
  it('the block that was wrong is looked at first, though others have been right since', async () => {
    const rig = await start();
    await rig.advance('65ms');
    await flip(rig, 0x8010);
    await rig.advance('20ms');
    expect(found(rig)).toHaveLength(1);
    read(rig);
    await rollBack(rig, 60);
    await rig.advance('11ms');
    expect(read(rig).filter((address) => typeof address === 'number')).toEqual([0x8010]);
    expect(found(rig)).toHaveLength(1);
  });

  it('the block that was wrong is not looked at first any more once it was right again', async () => {
    const rig = await start();
    await rig.advance('65ms');
    await flip(rig, 0x8010);
    await rig.advance('10ms');
    await rollBack(rig, 60);
    await rig.advance('11ms');
    await rig.advance('10ms');
    read(rig);
    await rollBack(rig, 75);
    await rig.advance('11ms');
    expect(read(rig).filter((address) => typeof address === 'number')).toEqual([0xa000]);
  });

  it('the turns go on where none was wrong', async () => {
    const rig = await start();
    await rig.advance('65ms');
    read(rig);
    await rollBack(rig, 50);
    await rig.advance('11ms');
    expect(read(rig).filter((address) => typeof address === 'number')).toEqual([0x8010]);
  });

  it('a block is right since then if it was right at the checkpoint or after it', async () => {
    const rig = await start();
    await rig.advance('75ms');
    // Right at 50, 60, 70, 30 and 40 ms.
    await rollBack(rig, 60);
    for (const address of BLOCKS) await flip(rig, address);
    await rig.advance('61ms');
    const since = rig
      .events('EVT_REGIONCORRUPTED')
      .map(({ address, lastRightNs }) => [address, lastRightNs / MS]);
    expect(new Map(since as [number, number][])).toEqual(
      new Map([
        [0, 50],
        [0x1000, 75],
        [0x8010, 75],
        [0x9000, 30],
        [0xa000, 40],
      ]),
    );
  });
});

it('after a restart, every block is right since then', async () => {
  const rig = await start();
  await rig.advance('75ms');
  await rig.domain.get(P_VCPU).restart();
  await rig.advance('0ms');
  for (const address of BLOCKS) await flip(rig, address);
  await rig.advance('60ms');
  expect(rig.events('EVT_REGIONCORRUPTED').map(({ lastRightNs }) => lastRightNs / MS)).toEqual([
    75, 75, 75, 75, 75,
  ]);
});

it('after a reboot by the guest, every block is right since then', async () => {
  const rig = await start();
  await rig.advance('75ms');
  rig.domain.bus.topic('EVT_VMREBOOTED').publish({ atNs: rig.nowNs });
  for (const address of BLOCKS) await flip(rig, address);
  await rig.advance('50ms');
  expect(rig.events('EVT_REGIONCORRUPTED').map(({ lastRightNs }) => lastRightNs / MS)).toEqual([
    75, 75, 75, 75, 75,
  ]);
});

describe('where reading takes its time', () => {
  async function gatedRig() {
    const gated = gatedPageTable();
    const rig = await start({ regions: REGIONS, within: '20ms' }, [gated.plugin()]);
    await rig.advance('12ms');
    const release = gated.hold();
    const advanced = rig.advance('10ms');
    await gated.reading();
    return { rig, gated, release, advanced };
  }

  it('a checkpoint that comes meanwhile begins no second reading, and the next one does', async () => {
    const { rig, gated, release, advanced } = await gatedRig();
    const before = gated.read.length;
    const taken = rig.domain.get(CHECKPOINTS).take();
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    expect(gated.read).toHaveLength(before);
    release();
    await Promise.all([taken, advanced]);
    // The second of the two stretches, and no more.
    expect(gated.read).toHaveLength(before + 1);
    await rig.advance('10ms');
    expect(gated.read).toHaveLength(before + 3);
  });

  it('what was read before a rollback is not held against the guest after it', async () => {
    const gated = gatedPageTable();
    const rig = await start({ regions: REGIONS, within: '20ms' }, [gated.plugin()]);
    await rig.advance('12ms');
    await flip(rig, 0);
    const release = gated.hold();
    const advanced = rig.advance('10ms');
    await gated.reading();
    await rollBack(rig, 10);
    release();
    await advanced;
    await rig.advance('30ms');
    expect(found(rig)).toEqual([]);
  });
});

describe('at the start', () => {
  const sha256 = (bytes: number) => createHash('sha256').update(new Uint8Array(bytes)).digest('hex');

  it('a region is compared with its SHA-256, in either case', async () => {
    const right = { ...TABLE, sha256: sha256(TABLE.bytes).toUpperCase() };
    const rig = await start({ regions: [CODE, right], within: '60ms' });
    expect(rig.domain.plugins.every(({ state }) => state === 'active')).toBe(true);
    await expect(start({ regions: [CODE, { ...TABLE, sha256: sha256(1) }], within: '60ms' })).rejects.toThrow(
      `options.regions[1].sha256: what the guest has in table has the SHA-256 ${sha256(TABLE.bytes)}`,
    );
  });

  it('a region that cannot be read is named', async () => {
    const outside = { ...TABLE, address: 64 * PAGE_BYTES };
    await expect(start({ regions: [CODE, outside], within: '60ms' })).rejects.toThrow(
      'options.regions[1], table: RMK_ERR_ADDRESS',
    );
  });

  it('it was right: what is found at the first turn is suspect since then', async () => {
    const rig = await startFakeRig({
      plugins: [checkpoint({ interval: '10ms', retain: 6 }), cowb()],
    });
    await rig.advance('12ms');
    await rig.domain.install(silentCorruptionDetector({ regions: REGIONS, within: '60ms' }));
    await rig.domain.get(P_PTABLE).write(0, Uint8Array.of(1));
    await rig.advance('10ms');
    expect(found(rig)).toEqual([[20, 'code has changed at 0x0', 12]]);
  });
});
