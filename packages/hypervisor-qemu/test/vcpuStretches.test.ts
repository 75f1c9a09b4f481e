import { describe, expect, it } from 'vitest';
import type { ThreadActivity } from '../src/process/processStatus.js';
import { VcpuActivity, type ActivitySources, type Halt } from '../src/run/vcpuActivity.js';

const MS = 1e6;
const INTERVAL_MS = 20;

/** What a vCPU shows from outside, set by hand. */
class Vcpu implements ActivitySources {
  atNs = 0;
  activity: ThreadActivity | undefined = { ranNs: 0, waitedNs: 0, sleeps: false };
  pages: number | undefined = 0;
  reported: Halt = 'waits';

  now(): number {
    return this.atNs;
  }

  thread(): ThreadActivity | undefined {
    return this.activity;
  }

  async pagesWritten(): Promise<number | undefined> {
    return this.pages;
  }

  async halt(): Promise<Halt> {
    return this.reported;
  }

  pass(ms: number, ranMs: number, waitedMs = 0, sleeps = true): void {
    this.atNs += ms * MS;
    const { ranNs, waitedNs } = this.activity ?? { ranNs: 0, waitedNs: 0 };
    this.activity = { ranNs: ranNs + ranMs * MS, waitedNs: waitedNs + waitedMs * MS, sleeps };
  }
}

function watched(): { readonly vcpu: Vcpu; readonly activity: VcpuActivity } {
  const vcpu = new Vcpu();
  return { vcpu, activity: new VcpuActivity(vcpu, INTERVAL_MS * MS) };
}

describe('A stretch of the vCPU', () => {
  it.each([
    // 10 % asleep are a rest, less are moments of a busy thread.
    ['just under a tenth asleep', 100, 91, 0, { cpuNs: 100 * MS, idleNs: 0, state: 'ran' }],
    ['a tenth asleep', 100, 90, 0, { cpuNs: 90 * MS, idleNs: 10 * MS, state: 'ran' }],
    ['just under nine tenths asleep', 100, 11, 0, { cpuNs: 11 * MS, idleNs: 89 * MS, state: 'ran' }],
    ['nine tenths asleep', 100, 10, 0, { cpuNs: 10 * MS, idleNs: 90 * MS, state: 'idle' }],
    ['asleep and waiting for the host', 100, 10, 30, { cpuNs: 10 * MS, idleNs: 60 * MS, state: 'ran' }],
    ['waiting for the host alone', 100, 10, 90, { cpuNs: 10 * MS, idleNs: 0, state: 'ran' }],
    ['clocks that disagree', 100, 120, 10, { cpuNs: 90 * MS, idleNs: 0, state: 'ran' }],
  ])('with %s', async (_, ms, ran, waited, expected) => {
    const { vcpu, activity } = watched();
    vcpu.pass(ms, ran, waited);
    expect(await activity.look()).toMatchObject({ ...expected, haltedNs: 0, atNs: ms * MS });
  });

  it('of a thread that is gone is one of computing: nothing is known', async () => {
    const { vcpu, activity } = watched();
    vcpu.pass(20, 0);
    vcpu.activity = undefined;
    expect(await activity.look()).toMatchObject({ cpuNs: 20 * MS, idleNs: 0, state: 'ran' });
    vcpu.pass(20, 0);
    expect(await activity.look()).toMatchObject({ cpuNs: 20 * MS, idleNs: 0, state: 'ran' });
    vcpu.pass(20, 0);
    expect(await activity.look()).toMatchObject({ cpuNs: 0, idleNs: 20 * MS, state: 'idle' });
  });

  it('begins where the one before ended', async () => {
    const { vcpu, activity } = watched();
    vcpu.pass(20, 20, 0, false);
    await activity.look();
    vcpu.pass(10, 0);
    expect(await activity.look()).toMatchObject({ atNs: 30 * MS, cpuNs: 0, idleNs: 10 * MS });
  });

  it('has some length', async () => {
    const { vcpu, activity } = watched();
    expect(await activity.look()).toBeUndefined();
    vcpu.atNs += 1;
    expect(await activity.look()).toMatchObject({ atNs: 1 });
  });

  it('is looked at once at a time, and again after a look failed', async () => {
    const { vcpu, activity } = watched();
    vcpu.pass(20, 20, 0, false);
    const first = activity.look();
    expect(await activity.look()).toBeUndefined();
    expect(await first).toMatchObject({ cpuNs: 20 * MS });
    vcpu.pagesWritten = () => Promise.reject(new Error('QEMU is gone'));
    await expect(activity.look()).rejects.toThrow('QEMU is gone');
    vcpu.pagesWritten = async () => 0;
    vcpu.pass(20, 20, 0, false);
    expect(await activity.look()).toMatchObject({ cpuNs: 20 * MS });
  });
});

describe('A new beginning, as after a rollback,', () => {
  it('forgets the heartbeat of before', async () => {
    const { vcpu, activity } = watched();
    activity.heartbeat();
    activity.begin();
    vcpu.pass(20, 20, 0, false);
    expect((await activity.look())?.progress).toEqual([]);
  });

  it('forgets the work of before', async () => {
    const { vcpu, activity } = watched();
    vcpu.pass(20, 20, 0, false);
    activity.begin();
    vcpu.pass(10, 1);
    expect(await activity.look()).toMatchObject({ cpuNs: MS, idleNs: 9 * MS });
  });

  it('forgets when pages were asked for', async () => {
    const { vcpu, activity } = watched();
    vcpu.pass(20, 20, 0, false);
    activity.begin();
    vcpu.pages = 1;
    vcpu.pass(10, 10, 0, false);
    expect((await activity.look())?.progress).toEqual([{ sign: 'page-written', atNs: 20 * MS }]);
  });
});

describe('Pages', () => {
  it('that nobody can count are no sign', async () => {
    const { vcpu, activity } = watched();
    vcpu.pages = undefined;
    vcpu.pass(20, 20, 0, false);
    expect((await activity.look())?.progress).toEqual([]);
  });

  it('were written after they were asked for last, and at most two intervals ago', async () => {
    const { vcpu, activity } = watched();
    vcpu.pages = 1;
    vcpu.pass(2 * INTERVAL_MS, 40, 0, false);
    expect((await activity.look())?.progress).toEqual([{ sign: 'page-written', atNs: 0 }]);
    vcpu.pass(2 * INTERVAL_MS + 1, 41, 0, false);
    expect((await activity.look())?.progress).toEqual([{ sign: 'page-written', atNs: 41 * MS }]);
  });

  it('are counted from the moment of asking, not from that of the answer', async () => {
    const { vcpu, activity } = watched();
    vcpu.pass(20, 20, 0, false);
    vcpu.pagesWritten = async () => {
      vcpu.pass(5, 5, 0, false);
      return 1;
    };
    expect(await activity.look()).toMatchObject({ atNs: 25 * MS });
    vcpu.pagesWritten = async () => 1;
    vcpu.pass(10, 10, 0, false);
    expect((await activity.look())?.progress).toEqual([{ sign: 'page-written', atNs: 20 * MS }]);
  });

  it('come before the heartbeat', async () => {
    const { vcpu, activity } = watched();
    vcpu.pages = 1;
    vcpu.pass(20, 20, 0, false);
    activity.heartbeat();
    expect((await activity.look())?.progress.map(({ sign }) => sign)).toEqual(['page-written', 'heartbeat']);
  });
});
