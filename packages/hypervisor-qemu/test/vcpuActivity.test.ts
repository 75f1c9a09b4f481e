import { describe, expect, it } from 'vitest';
import type { ThreadActivity } from '../src/process/processStatus.js';
import { haltOf, VcpuActivity, type Halt } from '../src/run/vcpuActivity.js';

const MS = 1e6;

/** A vCPU whose thread and clock are moved by hand. */
class Sources {
  atNs = 0;
  thread: ThreadActivity | undefined = { ranNs: 0, waitedNs: 0, sleeps: false };
  pages: number | undefined = 0;
  pagesAsked = 0;
  halt: Halt = 'waits';
  asked = 0;

  pass(
    ms: number,
    { ran = 0, waited = 0, sleeps = false }: { ran?: number; waited?: number; sleeps?: boolean },
  ): void {
    this.atNs += ms * MS;
    const { ranNs, waitedNs } = this.thread ?? { ranNs: 0, waitedNs: 0 };
    this.thread = { ranNs: ranNs + ran * MS, waitedNs: waitedNs + waited * MS, sleeps };
  }

  readonly activity = new VcpuActivity(
    {
      now: () => this.atNs,
      thread: () => this.thread,
      pagesWritten: () => {
        this.pagesAsked++;
        return Promise.resolve(this.pages);
      },
      halt: () => {
        this.asked++;
        return Promise.resolve(this.halt);
      },
    },
    20 * MS,
  );
}

describe('The activity of a vCPU, seen from outside', () => {
  it('ran: its thread does not sleep', async () => {
    const sources = new Sources();
    sources.pass(20, { ran: 20 });
    expect(await sources.activity.look()).toEqual({
      atNs: 20 * MS,
      cpuNs: 20 * MS,
      idleNs: 0,
      haltedNs: 0,
      state: 'ran',
      progress: [],
    });
    expect(sources.asked, 'its registers are not needed for that').toBe(0);
  });

  it('is not accused of a silence while RMK itself was stopped', async () => {
    const sources = new Sources();
    sources.pages = 3;
    sources.pass(4000, { ran: 4000 });
    const scheduled = await sources.activity.look();
    expect(scheduled?.progress).toEqual([{ sign: 'page-written', atNs: 3960 * MS }]);
  });

  it('has been idle: its thread sleeps, and something can wake it', async () => {
    const sources = new Sources();
    sources.pass(20, { ran: 1, sleeps: true });
    expect(await sources.activity.look()).toMatchObject({ cpuNs: MS, idleNs: 19 * MS, state: 'idle' });
    expect(sources.asked).toBe(1);
  });

  it('is halted: its thread sleeps, it writes nothing, and nothing can wake it', async () => {
    const sources = new Sources();
    sources.halt = 'for-ever';
    sources.pass(20, { sleeps: true });
    expect(await sources.activity.look()).toMatchObject({ idleNs: 0, haltedNs: 20 * MS, state: 'halted' });
  });

  it('is halted also while its thread takes a checkpoint, and was not idle then', async () => {
    const sources = new Sources();
    sources.halt = 'for-ever';
    sources.pass(20, { ran: 6, sleeps: true });
    expect(await sources.activity.look()).toMatchObject({ idleNs: 0, haltedNs: 14 * MS, state: 'halted' });
  });

  it('is not taken for idle while its thread sleeps for a lock and it would run', async () => {
    const sources = new Sources();
    sources.halt = 'runs';
    sources.pass(20, { ran: 10, sleeps: true });
    expect(await sources.activity.look()).toMatchObject({ idleNs: 0, haltedNs: 0, state: 'ran' });
  });

  it('is not asked for its registers while it writes pages', async () => {
    const sources = new Sources();
    sources.pages = 3;
    sources.pass(20, { sleeps: true });
    expect(await sources.activity.look()).toMatchObject({ state: 'idle' });
    expect(sources.asked).toBe(0);
  });

  it('is not taken for idle while its thread waits for the host', async () => {
    const sources = new Sources();
    sources.pass(20, { ran: 4, waited: 16 });
    expect(await sources.activity.look()).toMatchObject({ cpuNs: 4 * MS, idleNs: 0, state: 'ran' });
  });

  it('is not taken for idle for the moments in which a busy thread waits for a lock', async () => {
    const sources = new Sources();
    sources.pass(20, { ran: 19, sleeps: true });
    expect(await sources.activity.look()).toMatchObject({ cpuNs: 20 * MS, idleNs: 0, state: 'ran' });
  });

  it('dates written pages to the last look before the write', async () => {
    const sources = new Sources();
    sources.pass(20, { ran: 20 });
    await sources.activity.look();
    sources.pages = 1;
    sources.pass(20, { ran: 20 });
    expect((await sources.activity.look())?.progress).toEqual([{ sign: 'page-written', atNs: 20 * MS }]);
  });

  it('reports the last beat once', async () => {
    const sources = new Sources();
    sources.pass(5, { ran: 5 });
    sources.activity.heartbeat();
    sources.pass(5, { ran: 5 });
    sources.activity.heartbeat();
    sources.pass(5, { ran: 5 });
    expect((await sources.activity.look())?.progress).toEqual([{ sign: 'heartbeat', atNs: 10 * MS }]);
    sources.pass(5, { ran: 5 });
    expect((await sources.activity.look())?.progress).toEqual([]);
  });

  it('says nothing of a stretch that a rollback ended', async () => {
    const sources = new Sources();
    sources.pass(20, { ran: 20 });
    const look = sources.activity.look();
    sources.activity.begin();
    sources.pass(5, { ran: 5 });
    expect(await look).toBeUndefined();
    sources.pass(5, { ran: 5 });
    expect(await sources.activity.look()).toMatchObject({ cpuNs: 10 * MS });
  });

  it('forgets the beats and the pages from before a rollback', async () => {
    const sources = new Sources();
    sources.pass(5, { ran: 5 });
    sources.activity.heartbeat();
    sources.activity.begin();
    sources.pages = 1;
    sources.pass(5, { ran: 5 });
    expect((await sources.activity.look())?.progress).toEqual([{ sign: 'page-written', atNs: 5 * MS }]);
  });

  it.each([
    ['a tenth of the time asleep counts', 18, { cpuNs: 18 * MS, idleNs: 2 * MS, state: 'ran' }],
    ['less than a tenth does not', 18.1, { cpuNs: 20 * MS, idleNs: 0, state: 'ran' }],
    ['nine tenths are idle', 2, { cpuNs: 2 * MS, idleNs: 18 * MS, state: 'idle' }],
    ['less than nine tenths are not', 2.1, { cpuNs: 2.1 * MS, idleNs: 17.9 * MS, state: 'ran' }],
  ])('%s', async (_, ran, expected) => {
    const sources = new Sources();
    sources.pass(20, { ran, sleeps: true });
    expect(await sources.activity.look()).toMatchObject(expected);
  });

  it('is derived from what its thread did since the last look, or since a rollback', async () => {
    const sources = new Sources();
    sources.pass(20, { ran: 5, waited: 5, sleeps: true });
    expect(await sources.activity.look()).toMatchObject({ cpuNs: 5 * MS, idleNs: 10 * MS });
    sources.pass(20, { ran: 4, waited: 2, sleeps: true });
    expect(await sources.activity.look()).toMatchObject({ cpuNs: 4 * MS, idleNs: 14 * MS });
    sources.pass(20, { ran: 9, sleeps: true });
    sources.activity.begin();
    sources.pass(20, { ran: 6, sleeps: true });
    expect(await sources.activity.look()).toMatchObject({ cpuNs: 6 * MS, idleNs: 14 * MS });
  });

  it('ran, as far as anybody can tell, where its thread is gone', async () => {
    const sources = new Sources();
    sources.pass(20, { sleeps: true });
    sources.thread = undefined;
    const ran = { cpuNs: 20 * MS, idleNs: 0, haltedNs: 0, state: 'ran' };
    expect(await sources.activity.look()).toMatchObject(ran);
    sources.pass(20, { sleeps: true });
    expect(await sources.activity.look()).toMatchObject(ran);
  });

  it('is asked for its registers where nobody can tell of pages, and only if its thread slept', async () => {
    const sources = new Sources();
    sources.pages = undefined;
    sources.pass(20, { ran: 20 });
    expect(await sources.activity.look()).toMatchObject({ state: 'ran', progress: [] });
    expect(sources.asked).toBe(0);
    sources.pass(20, { sleeps: true });
    expect(await sources.activity.look()).toMatchObject({ state: 'idle', progress: [] });
    expect(sources.asked).toBe(1);
  });

  it('is reported by one look at a time, and not for a stretch of zero length', async () => {
    const sources = new Sources();
    expect(await sources.activity.look()).toBeUndefined();
    sources.pass(20, { ran: 20 });
    const [first, second] = await Promise.all([sources.activity.look(), sources.activity.look()]);
    expect([first?.cpuNs, second]).toEqual([20 * MS, undefined]);
    expect(sources.pagesAsked).toBe(2);
    sources.pass(10, { ran: 10 });
    expect(await sources.activity.look()).toMatchObject({ cpuNs: 10 * MS });
  });
});

describe('What the registers show', () => {
  it.each([
    ['EIP=00007c02 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=1', 'for-ever'],
    ['RIP=ffffffff81000000 RFL=0000000000000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1', 'for-ever'],
    ['EIP=00007c02 EFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1', 'waits'],
    ['EIP=00007c02 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=0', 'runs'],
    ['no registers', 'runs'],
  ])('%s: %s', (registers, expected) => expect(haltOf(registers)).toBe(expected));
});
