import { createHash } from 'node:crypto';
import { CHECKPOINTS, DETECTIONS, P_PTABLE, P_VCPU, PAGE_BYTES, type Plugin } from '@rmk/core';
import { GUESTS, readGuest } from '@rmk/guests';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import { goldenRun, startRig, type Rig } from '@rmk/testing';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { silentCorruptionDetector } from '../src/index.js';
import { gatedPageTable } from './gatedPageTable.js';
import { cases, LONG } from '../../../test/long.js';

const MS = 1e6;
const INTERVAL_NS = 50 * MS;
/** Code and constants, on two pages and on three. */
const SERVER = { name: 'server', address: 0x8000_0000, bytes: 0x18cd };
const SERVER_CONSTANTS = 0x8000_1688;
const TASKS = { name: 'tasks', address: 0x8000_0000, bytes: 0x2a80 };
/** Memory that no guest of ours uses, on parts of two pages and five between them. */
const UNUSED = { name: 'unused', address: 0x8100_0ff1, bytes: 6 * PAGE_BYTES };
const SERVER_REGIONS = [SERVER, UNUSED];
/** As much as the program, and not used either: a flip in it is found by nobody else, and harms no guest. */
const TABLE = { name: 'table', address: 0x8180_0000, bytes: SERVER.bytes };
/** Nine pages, one in each epoch. */
const ROUND_MS = 450;

type Options = Parameters<typeof silentCorruptionDetector>[0];

const watching = (options: Options): readonly Plugin[] => [
  ...microcheckpoint({ hang: false }),
  silentCorruptionDetector(options),
];

/** Detects, and nobody undoes it. */
const detecting = (options: Options): readonly Plugin[] =>
  watching(options).filter(({ definition }) => definition.name !== '@rmk/recovery');

const RECORD = { record: ['EVT_REGIONCORRUPTED'] } as const;

/** Flips one bit of guest memory, as the guest's own write would. */
async function flip(rig: Rig, address: number, bit = 0): Promise<void> {
  const pageTable = rig.domain.get(P_PTABLE);
  const [byte = 0] = await pageTable.read(address, 1);
  await pageTable.write(address, Uint8Array.of(byte ^ (1 << bit)));
}

describe('the silent-corruption detector', () => {
  it('finds a flip of any bit of any region within its bound, and says where and since when', async () => {
    const rig = await startRig({
      guest: 'server',
      plugins: detecting({ regions: [TABLE, UNUSED], within: '550ms' }),
      ...RECORD,
    });
    expect(rig.domain.get(DETECTIONS).all).toContainEqual({
      plugin: '@rmk/silent-corruption-detector',
      kind: 'silent-corruption',
      boundNs: 550 * MS,
    });
    const anywhere = fc
      .constantFrom(TABLE, UNUSED)
      .chain(({ name, address, bytes }) =>
        fc.integer({ min: address, max: address + bytes - 1 }).map((hit) => ({ name, hit })),
      );
    await fc.assert(
      fc.asyncProperty(
        anywhere,
        fc.integer({ min: 0, max: 7 }),
        fc.integer({ min: 1, max: 40_000_000 }),
        async ({ name, hit }, bit, waitCycles) => {
          await rig.advance(`${waitCycles * 10}ns`);
          const before = rig.events('EVT_ERRORDETECTED').length;
          const hitAtNs = rig.nowNs;
          await flip(rig, hit, bit);
          await rig.advance(`${ROUND_MS}ms`);
          const detected = rig.events('EVT_ERRORDETECTED').slice(before);
          const corrupted = rig.events('EVT_REGIONCORRUPTED').slice(before);
          const page = Math.max(hit - (hit % PAGE_BYTES), name === 'unused' ? UNUSED.address : 0);
          expect(detected).toMatchObject([
            {
              kind: 'silent-corruption',
              source: '@rmk/silent-corruption-detector',
              cause: `${name} has changed at 0x${page.toString(16)}`,
            },
          ]);
          expect(detected[0]?.atNs).toBeLessThanOrEqual(hitAtNs + ROUND_MS * MS);
          expect(detected[0]?.suspectSinceNs).toBeLessThanOrEqual(hitAtNs);
          expect(corrupted).toMatchObject([
            { region: name, address: page, lastRightNs: detected[0]?.suspectSinceNs },
          ]);
          await flip(rig, hit, bit);
          await rig.advance(`${ROUND_MS}ms`);
        },
      ),
      { numRuns: cases(20, 400) },
    );
    expect(rig.domain.get(DETECTIONS).longestBoundNs).toBeGreaterThanOrEqual(ROUND_MS * MS);
  });

  it('reads in each epoch, and no more than the bound asks for: of nine pages in seven epochs, two', async () => {
    const gated = gatedPageTable();
    const plugins = detecting({ regions: SERVER_REGIONS, within: '400ms' }).filter(
      ({ definition }) => definition.name !== '@rmk/pin-ptable',
    );
    const rig = await startRig({ guest: 'server', plugins: [gated.plugin(), ...plugins] });
    gated.read.length = 0;
    for (let epoch = 1; epoch <= 14; epoch++) {
      await rig.advance('50ms');
      const read = gated.read.splice(0).reduce((sum, bytes) => sum + bytes, 0);
      expect(read).toBeGreaterThan(0);
      expect(read).toBeLessThanOrEqual(2 * PAGE_BYTES);
    }
  });

  it('says nothing of a healthy guest', async () => {
    const rig = await startRig({
      guest: 'tasks',
      plugins: watching({ regions: [TASKS, UNUSED], within: '200ms' }),
    });
    if (LONG) expect(await rig.runToEnd()).toBe(0);
    else await rig.advance('300ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
    expect(rig.guestState).toEqual(await goldenRun({ guest: 'tasks' }, rig.machine.guestNs));
  });

  it.runIf(LONG)('undoes what would have made the result wrong with nobody noticing', async () => {
    const machine = {
      name: 'tasks',
      elf: readGuest('tasks'),
      memoryBytes: GUESTS.tasks.memoryBytes,
    };
    const golden = await goldenRun({ machine });
    const constant = new TextDecoder().decode(machine.elf).indexOf('quicksort');
    expect(constant).toBeGreaterThan(0);
    const outputs = [];
    for (const plugins of [microcheckpoint(), watching({ regions: [TASKS], within: '300ms' })]) {
      const rig = await startRig({ machine, plugins });
      await rig.advance('730ms');
      await flip(rig, await addressOf(rig, 'quicksort'), 1);
      expect(await rig.runToEnd()).toBe(0);
      outputs.push(rig.output);
      if (outputs.length === 1) continue;
      expect(rig.events('EVT_RECOVERED')).toMatchObject([
        { record: { rung: 'target', trigger: { kind: 'silent-corruption' } } },
      ]);
      expect(rig.guestState).toEqual(golden);
    }
    expect(outputs[0]).toBe(golden.output.replace('quicksort', 'suicksort'));
    expect(outputs[1]).toBe(golden.output);
  });

  it('leaves a guest as if nothing had been, whatever bit of its program flips, with the other detectors', async () => {
    const program = fc.integer({ min: 0, max: TASKS.bytes - 1 });
    await fc.assert(
      fc.asyncProperty(program, fc.integer({ min: 0, max: 7 }), async (offset, bit) => {
        const plugins = [
          ...microcheckpoint(),
          silentCorruptionDetector({ regions: [TASKS], within: '200ms' }),
        ];
        const rig = await startRig({ guest: 'tasks', plugins });
        await rig.advance('230ms');
        await flip(rig, TASKS.address + offset, bit);
        await rig.advance('260ms');
        expect(rig.events('EVT_RECOVERED').length, rig.timeline()).toBeGreaterThan(0);
        expect(rig.guestState, rig.timeline()).toEqual(
          await goldenRun({ guest: 'tasks' }, rig.machine.guestNs),
        );
        await rig.stop();
      }),
      { numRuns: cases(1, 60) },
    );
  });
});

describe('after a rollback', () => {
  it('what was corrupted is looked at first, and an error that is there again makes the recovery climb', async () => {
    const rig = await startRig({
      guest: 'server',
      plugins: watching({ regions: SERVER_REGIONS, within: '400ms' }),
      ...RECORD,
    });
    const address = UNUSED.address + UNUSED.bytes - 1;
    // Whatever is undone, it is damaged again.
    rig.domain.bus.on('EVT_RECOVERED', () => flip(rig, address));
    await rig.advance('820ms');
    await flip(rig, address);
    await rig.advance('1s');
    const recovered = rig.events('EVT_RECOVERED').map(({ record }) => record);
    expect(recovered[0]).toMatchObject({ rung: 'target', occurrence: 1 });
    expect(recovered[1]).toMatchObject({ rung: 'older', occurrence: 2 });
    expect(recovered.map(({ rung }) => rung)).toContain('restart');
    expect(rig.events('EVT_RECOVERYFAILED')).toHaveLength(1);
    const [first, second] = rig.events('EVT_ERRORDETECTED');
    expect((second?.atNs ?? 0) - (first?.atNs ?? 0)).toBe(INTERVAL_NS);
  });

  it('by somebody else, a region is right since then only if it was right after the checkpoint', async () => {
    const rig = await startRig({
      guest: 'server',
      plugins: detecting({ regions: SERVER_REGIONS, within: '550ms' }),
      ...RECORD,
    });
    await rig.advance('620ms');
    await rig.rollBack(400 * MS);
    // The pages had their turns at 0, 50, 100 ms and so on, the first again at 450 ms, the fourth again at 600 ms.
    for (const address of [SERVER_CONSTANTS, 0x8100_1008, 0x8100_2008, 0x8100_6008]) await flip(rig, address);
    // The rollback has put the next checkpoint off.
    await rig.advance(`${ROUND_MS + 50}ms`);
    const corrupted = rig.events('EVT_REGIONCORRUPTED');
    expect(new Map(corrupted.map(({ address, lastRightNs }) => [address, lastRightNs / MS]))).toEqual(
      new Map([
        [0x8000_1000, 620],
        [0x8100_1000, 620],
        [0x8100_2000, 200],
        [0x8100_6000, 620],
      ]),
    );
  });

  it('that comes while a region is being read, what was read is not held against the guest', async () => {
    const gated = gatedPageTable();
    const plugins = watching({ regions: [UNUSED], within: '200ms' }).filter(
      ({ definition }) => definition.name !== '@rmk/pin-ptable',
    );
    const rig = await startRig({ guest: 'server', plugins: [gated.plugin(), ...plugins] });
    await rig.advance('220ms');
    const undone = rig.domain.get(CHECKPOINTS).retained[1];
    if (undone === undefined) throw new Error('only one checkpoint is retained');
    await flip(rig, UNUSED.address);
    for (let page = 1; page < 7; page++) await flip(rig, 0x8100_0000 + page * PAGE_BYTES);
    const release = gated.hold();
    const advanced = rig.advance('100ms');
    await gated.reading();
    await rig.rollBack(undone);
    release();
    await advanced;
    await rig.advance('300ms');
    expect(rig.events('EVT_ERRORDETECTED')).toEqual([]);
  });
});

it('takes a region to be right after a restart, which lays it out again', async () => {
  const rig = await startRig({
    guest: 'server',
    plugins: detecting({ regions: [UNUSED], within: '400ms' }),
    ...RECORD,
  });
  await rig.advance('320ms');
  await flip(rig, UNUSED.address);
  await rig.domain.get(P_VCPU).restart();
  await rig.advance('30ms');
  await flip(rig, UNUSED.address);
  await rig.advance('400ms');
  expect(rig.events('EVT_REGIONCORRUPTED')[0]).toMatchObject({ lastRightNs: 320 * MS });
});

describe('at the start', () => {
  const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
  const start = (options: Options) => startRig({ guest: 'tasks', plugins: detecting(options) });

  it('compares a region with the SHA-256 that was given for it', async () => {
    const probe = await start({ regions: [TASKS] });
    const program = await probe.domain.get(P_PTABLE).read(TASKS.address, TASKS.bytes);
    await probe.stop();
    const right = { ...TASKS, sha256: sha256(program).toUpperCase() };
    await (await start({ regions: [UNUSED, right] })).stop();
    const wrong = { ...TASKS, sha256: sha256(program.subarray(1)) };
    await expect(start({ regions: [UNUSED, wrong] })).rejects.toThrow(
      `options.regions[1].sha256: what the guest has in tasks has the SHA-256 ${sha256(program)}`,
    );
  });

  it.each<[Options, string]>([
    [{ regions: [] }, 'regions: expected at least one region'],
    [{ regions: [TASKS, TASKS] }, 'regions: expected names that differ from each other'],
    [{ regions: [{ ...TASKS, bytes: 0 }] }, 'options.regions[0].bytes'],
    [
      { regions: [{ ...TASKS, sha256: 'abc' }] },
      'options.regions[0].sha256: expected a SHA-256 in 64 hexadecimal digits',
    ],
    [
      { regions: [TASKS], within: '99ms' },
      'options.within: 99ms is less than two checkpoint intervals of 50 ms',
    ],
    [
      { regions: [{ ...TASKS, address: 16 }] },
      'options.regions[0], tasks: RMK_ERR_ADDRESS: 4080 bytes at 0x10',
    ],
  ])('refuses %j, and says what is wrong', async (options, message) => {
    await expect(start(options)).rejects.toMatchObject({ plugin: '@rmk/silent-corruption-detector' });
    await expect(start(options)).rejects.toThrow(message);
  });
});

/** Where a text lies in the program of the guest. */
async function addressOf(rig: Rig, text: string): Promise<number> {
  const program = await rig.domain.get(P_PTABLE).read(TASKS.address, TASKS.bytes);
  return TASKS.address + Buffer.from(program).indexOf(`${text}\0`);
}
