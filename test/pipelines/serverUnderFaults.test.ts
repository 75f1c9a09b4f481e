import { readFileSync } from 'node:fs';
import { P_PTABLE, type RecoveryRecord } from '@rmk/core';
import { ServerModel } from '@rmk/guests';
import { pinVcpu } from '@rmk/pin-vcpu';
import { pinVmio } from '@rmk/pin-vmio';
import { microcheckpoint } from '@rmk/preset-microcheckpoint';
import {
  goldenRun,
  outputBytes,
  outputTranscript,
  requestReport,
  scriptClients,
  startRig,
  type ExpectedAnswer,
  type GuestState,
  type OutputReport,
  type RequestReport,
  type Rig,
  type RigGuest,
  type ScriptedClient,
} from '@rmk/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { crash, halt, hang } from './faults.js';
import { FailingOperations, interposed } from './failingOperations.js';

const MS = 1e6;
const REQUESTS = 80;
const KEYS = 12;
/** Three requests may wait, each of them a `sum` over all slots. */
const ANSWERED_WITHIN_NS = 6 * MS;

/** As the server has them in memory (`guest/server/store.c`). */
const SLOTS = 16_384;
const SLOT_BYTES = 24;
const VALUE_OFFSET = 20;

/** Reads, writes and counts, on keys that all clients share: what is answered depends on all that came before. */
function requestsOf(seed: number): readonly string[] {
  let random = seed;
  const next = (below: number): number => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
    return (random >>> 16) % below;
  };
  return Array.from({ length: REQUESTS }, () => {
    const key = `key${next(KEYS)}`;
    return (
      [`incr ${key}`, `incr ${key}`, `get ${key}`, `put ${key} ${next(1000)}`, 'sum', 'drop it'][next(6)] ??
      ''
    );
  });
}

const clients: readonly ScriptedClient[] = [
  { name: 'ann', startAt: '2ms', every: '11ms', requests: requestsOf(1) },
  { name: 'bob', startAt: '3ms', every: '12ms', requests: requestsOf(2) },
  { name: 'cid', startAt: '5ms', every: '10ms', requests: requestsOf(3) },
  { name: 'end', startAt: '1s', every: '1s', requests: ['quit'] },
];
const { requests, input } = scriptClients(clients);
const server = { guest: 'server', machine: { input } } as const satisfies RigGuest;

const model = new ServerModel();
const expected: readonly ExpectedAnswer[] = requests.map(({ id, line }) => ({
  id,
  answer: model.answer(line),
}));
const expectedOutput = ['server: ready', ...expected.map(({ answer }) => answer), model.end()].join('\n');

const COMPLETE = { answered: requests.length, lost: [], duplicated: [], wrong: [] };

let golden: GuestState;
beforeAll(async () => {
  golden = await goldenRun(server);
});

/** The transcript is all of the output, and the report is made of it. */
function reportOn(rig: Rig): RequestReport {
  const transcript = outputTranscript(rig);
  const bytes = outputBytes(transcript);
  const committed = bytes.filter(({ struckAtNs }) => struckAtNs === undefined);
  expect(bytes.map(({ byte }) => byte)).toEqual([...rig.machine.wireOutput]);
  expect(committed.map(({ byte }) => byte)).toEqual([...rig.machine.committedOutput]);
  return requestReport(expected, transcript);
}

function records(rig: Rig): readonly RecoveryRecord[] {
  return rig.events('EVT_RECOVERED').map(({ record }) => record);
}

/** Each line that went out more than once had been struck out each time but the last, at a recovery. */
function expectExplained({ duplicated }: OutputReport, rig: Rig): void {
  const recoveredAtNs = new Set(records(rig).map(({ trigger }) => trigger.atNs));
  for (const { id, answers } of duplicated) {
    expect(new Set(answers.map(({ text }) => text)).size, id).toBe(1);
    const struckAtNs = answers.map((answer) => answer.struckAtNs);
    expect(struckAtNs.pop(), id).toBeUndefined();
    for (const atNs of struckAtNs) expect(recoveredAtNs).toContain(atNs);
  }
}

it('undisturbed, the server answers each request as its model does', () => {
  expect(golden.output).toBe(expectedOutput);
  expect(golden.exitCode).toBe(0);
  const report = requestReport(expected, [{ atNs: golden.guestNs, data: Buffer.from(golden.output) }]);
  expect(report).toMatchObject({ requests: 241, committed: COMPLETE, wire: COMPLETE });
});

describe('the server under faults, protected', () => {
  it.each([
    { faults: 'crashes', inject: crash, moments: ['275.137ms', '405ms', '333.333ms'] as const },
    { faults: 'hangs', inject: hang, moments: ['275.137ms', '411ms', '507.3ms'] as const },
    { faults: 'halts that nothing ends', inject: halt, moments: ['275.137ms', '411ms', '507.3ms'] as const },
  ])(
    'after $faults, committed output has each request answered once and right',
    async ({ faults, inject, moments }) => {
      const rig = await startRig({ ...server, plugins: microcheckpoint() });
      const hitAtNs: number[] = [];
      for (const after of moments) {
        await rig.advance(after);
        hitAtNs.push(rig.machine.guestNs);
        await inject(rig);
      }
      expect(await rig.runToEnd()).toBe(0);
      expect(rig.guestState).toEqual(golden);
      expect(records(rig).map(({ rung }) => rung)).toEqual(['target', 'target', 'target']);
      const { committed, wire } = reportOn(rig);
      expect(committed).toMatchObject(COMPLETE);
      expect(wire).toMatchObject({ lost: [], wrong: [] });
      expect(wire.answered + wire.duplicated.length).toBe(requests.length);
      expectExplained(wire, rig);
      expectUndone(wire, undoneStretches(rig, hitAtNs));
      expectShown(`three ${faults}`, { committed, wire });
    },
  );

  it('after a restart, it answers everything again', async () => {
    const interposition = new FailingOperations();
    const rig = await startRig({
      ...server,
      plugins: interposed(microcheckpoint({ retain: 2 }), interposition),
    });
    await rig.advance('411ms');
    const hitAtNs = rig.machine.guestNs;
    interposition.fail('rollback', 'before');
    await hang(rig);
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(golden);
    expect(records(rig).map(({ rung }) => rung)).toEqual(['restart']);
    const { committed, wire } = reportOn(rig);
    expect(committed).toMatchObject(COMPLETE);
    expect(committed.others.filter((line) => line === 'server: ready')).toHaveLength(1);
    expect(wire).toMatchObject({ lost: [], wrong: [] });
    expect(wire.others.filter((line) => line === 'server: ready')).toHaveLength(2);
    expectExplained(wire, rig);
    expectUndone(wire, [{ fromNs: 0, toNs: hitAtNs }]);
    expectShown('a hang, and a restart', { committed, wire });
  });

  it('after a value was changed, wrong answers are on the wire until the server notices, and none is committed', async () => {
    const rig = await startRig({ ...server, plugins: microcheckpoint() });
    await rig.advance('430ms');
    for (let key = 0; key < KEYS; key++) await changeValue(rig, `key${key}`);
    expect(await rig.runToEnd()).toBe(0);
    expect(rig.guestState).toEqual(golden);
    const { committed, wire } = reportOn(rig);
    expect(committed).toMatchObject(COMPLETE);
    expect(wire.lost).toEqual([]);
    expect(wire.wrong.length).toBeGreaterThan(0);
    for (const { struckAtNs } of wire.wrong) expect(struckAtNs).toBeDefined();
    expect(wire.others).toContain('panic: server: the store does not agree with its totals');
    expect(records(rig).map(({ trigger }) => trigger.cause)).toContain('breakpoint in machine mode');
    expectShown('changed values', { committed, wire });
  });
});

describe('the server under faults, on its own', () => {
  it.each([
    { fault: 'a crash', inject: crash },
    { fault: 'a hang', inject: hang },
  ])('after $fault, all further requests are lost', async ({ fault, inject }) => {
    const rig = await startRig({ ...server, plugins: [pinVcpu(), pinVmio()] });
    await rig.advance('412ms');
    const hitAtNs = rig.machine.guestNs;
    await inject(rig);
    await rig.advance('2s');
    expect(rig.machine.exitCode).toBeUndefined();
    const { committed, wire } = reportOn(rig);
    const lost = requests.filter(({ arrivedNs }) => arrivedNs > hitAtNs).map(({ id }) => id);
    expect(committed).toMatchObject({
      answered: requests.length - lost.length,
      lost,
      duplicated: [],
      wrong: [],
    });
    expect(wire).toEqual(committed);
    expectShown(`${fault}, unprotected`, { committed, wire });
  });
});

/** The table in the README of testing has the figures of this report. */
function expectShown(faults: string, { committed, wire }: Omit<RequestReport, 'requests'>): void {
  const counts = [committed, wire].flatMap(({ answered, lost, duplicated, wrong }) => [
    answered,
    lost.length,
    duplicated.length,
    wrong.length,
  ]);
  const rows = read('packages/testing/README.md').replaceAll(/ +/g, ' ');
  expect(rows).toContain(`\n| ${[faults, ...counts].join(' | ')} |\n`);
}

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

interface Stretch {
  /** Guest time. */
  readonly fromNs: number;
  readonly toNs: number;
}

/** From each checkpoint that was gone back to, to the fault: nothing was answered after it. */
function undoneStretches(rig: Rig, hitAtNs: readonly number[]): readonly Stretch[] {
  let lostBeforeNs = 0;
  return records(rig).map(({ checkpoint, workLostNs = 0 }, index) => {
    const fromNs = (checkpoint?.takenAtNs ?? Number.NaN) - lostBeforeNs;
    lostBeforeNs += workLostNs;
    return { fromNs, toNs: hitAtNs[index] ?? Number.NaN };
  });
}

/** The duplicates are the requests of these stretches. An answer comes within some milliseconds of its request. */
function expectUndone({ duplicated }: OutputReport, stretches: readonly Stretch[]): void {
  const ids = new Set(duplicated.map(({ id }) => id));
  const within = (atNs: number, before: number, after: number): boolean =>
    stretches.some(({ fromNs, toNs }) => atNs >= fromNs - before && atNs <= toNs + after);
  const surely = requests.filter(({ arrivedNs }) => within(arrivedNs, 0, -ANSWERED_WITHIN_NS));
  const atMost = requests.filter(({ arrivedNs }) => within(arrivedNs, ANSWERED_WITHIN_NS, 0));
  expect(surely.length).toBeGreaterThan(0);
  expect([...ids]).toEqual(expect.arrayContaining(surely.map(({ id }) => id)));
  expect(atMost.map(({ id }) => id)).toEqual(expect.arrayContaining([...ids]));
}

/** Adds 1000 to a value behind the server's back. */
async function changeValue(rig: Rig, key: string): Promise<void> {
  const pageTable = rig.domain.get(P_PTABLE);
  const pointer = await pageTable.read(Number(rig.symbol('slots')), 4);
  const base = Buffer.from(pointer).readUInt32LE();
  const slots = Buffer.from(await pageTable.read(base, SLOTS * SLOT_BYTES));
  const at = slots.indexOf(`${key}\0`);
  expect(at % SLOT_BYTES, key).toBe(0);
  const value = Buffer.alloc(4);
  value.writeUInt32LE(slots.readUInt32LE(at + VALUE_OFFSET) + 1000);
  await pageTable.write(base + at + VALUE_OFFSET, value);
}
