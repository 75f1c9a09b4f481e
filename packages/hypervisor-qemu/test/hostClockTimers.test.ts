import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HostClock } from '../src/run/hostClock.js';
import { HostLoop } from './hostLoop.js';

const MS = 1e6;
const DAY = 24 * 3600 * 1000 * MS;

let host: HostLoop;
beforeEach(() => {
  host = new HostLoop();
  host.enter();
});
afterEach(() => host.leave());

function frozen(): HostClock {
  return new HostClock(() => host.nowNs);
}

function running(): HostClock {
  const clock = frozen();
  clock.unfreeze();
  return clock;
}

describe('The timers of a real VM', () => {
  it('start with domain time 0, frozen', () => {
    const clock = frozen();
    host.pass(5 * MS);
    expect(clock.now()).toBe(0);
    clock.unfreeze();
    host.pass(5 * MS);
    expect(clock.now()).toBe(5 * MS);
  });

  it('sleep in whole milliseconds, rounded up, so that none fires early', () => {
    const clock = running();
    const fired: number[] = [];
    clock.after(2 * MS + 1, () => void fired.push(clock.now()));
    host.pass(3 * MS - 1);
    expect(fired).toEqual([]);
    host.pass(1);
    expect(fired).toEqual([3 * MS]);
  });

  it('sleep as long as they have to and no longer', () => {
    const clock = running();
    let fired = 0;
    clock.after(2 * MS, () => void fired++);
    host.pass(2 * MS);
    expect(fired).toBe(1);
  });

  it('fire at once where their delay is zero, after what came in was read', () => {
    const clock = running();
    let fired = 0;
    clock.after(0, () => void fired++);
    host.wake();
    expect(fired).toBe(0);
    host.read();
    expect(fired).toBe(1);
  });

  it('sleep for the earliest, also where it is added last or removed', () => {
    const clock = running();
    const fired: string[] = [];
    clock.after(10 * MS, () => void fired.push('late'));
    clock.after(5 * MS, () => void fired.push('early'));
    clock.after(2 * MS, () => void fired.push('removed'))[Symbol.dispose]();
    expect(host.sleeping).toBe(1);
    host.pass(4 * MS);
    expect(fired).toEqual([]);
    host.pass(MS);
    expect(fired).toEqual(['early']);
    host.pass(5 * MS);
    expect(fired).toEqual(['early', 'late']);
    expect(host.sleeping).toBe(0);
  });

  it('leave the host alone once the last one is removed', () => {
    const clock = running();
    const timer = clock.after(5 * MS, () => undefined);
    expect(host.sleeping).toBe(1);
    timer[Symbol.dispose]();
    timer[Symbol.dispose]();
    expect(host.sleeping).toBe(0);
  });

  it('repeat at each interval, and catch up one after the other where the host was late', () => {
    const clock = running();
    const fired: number[] = [];
    clock.every(MS, () => void fired.push(clock.now() / MS));
    host.pass(2 * MS);
    host.busy(3 * MS);
    host.pass(0);
    expect(fired).toEqual([1, 2, 5, 5, 5]);
  });

  it('that a timer makes due have to wait for their turn', () => {
    const clock = running();
    const fired: string[] = [];
    clock.after(MS, () => {
      fired.push('first');
      host.busy(5 * MS);
      clock.after(0, () => void fired.push('set by the first'));
    });
    clock.after(3 * MS, () => void fired.push('due meanwhile'));
    host.busy(MS);
    host.wake();
    host.read();
    expect(fired).toEqual(['first']);
    host.run();
    expect(fired).toEqual(['first', 'due meanwhile', 'set by the first']);
  });

  it('do not fire while the VM is frozen, and fire as much later as it was', () => {
    const clock = running();
    let fired = 0;
    clock.after(5 * MS, () => void fired++);
    host.pass(3 * MS);
    clock.freeze();
    expect(host.sleeping).toBe(0);
    host.pass(100 * MS);
    clock.freeze();
    clock.unfreeze();
    clock.unfreeze();
    host.pass(MS);
    expect([fired, clock.now()]).toEqual([0, 4 * MS]);
    host.pass(MS);
    expect(fired).toBe(1);
  });

  it('that are set while the VM is frozen wait for it', () => {
    const clock = frozen();
    let fired = 0;
    clock.after(MS, () => void fired++);
    expect(host.sleeping).toBe(0);
    clock.unfreeze();
    host.pass(MS);
    expect(fired).toBe(1);
  });

  it('stop where one of them freezes the VM', () => {
    const clock = running();
    const fired: string[] = [];
    clock.after(MS, () => {
      fired.push('first');
      clock.freeze();
    });
    clock.after(MS, () => void fired.push('second'));
    host.pass(MS);
    expect(fired).toEqual(['first']);
    expect(host.sleeping).toBe(0);
    clock.unfreeze();
    host.pass(0);
    expect(fired).toEqual(['first', 'second']);
  });

  it('leave it to the sleep that was set last where they were set again while input was read', () => {
    const clock = running();
    let fired = 0;
    clock.after(MS, () => void fired++);
    host.busy(MS);
    host.wake();
    clock.freeze();
    clock.unfreeze();
    host.read(); // the end of the old sleep
    expect(fired).toBe(0);
    host.run();
    expect(fired).toBe(1);
  });

  it('may be further away than a timer of the host can be', () => {
    const clock = running();
    let fired = 0;
    clock.after(30 * DAY, () => void fired++);
    host.pass(1e9 * MS);
    expect([fired, host.sleeping]).toEqual([0, 1]);
    host.pass(30 * DAY - 1e9 * MS - 1);
    expect(fired).toBe(0);
    host.pass(1);
    expect(fired).toBe(1);
  });

  it('never sleep for longer than a timer of the host can', () => {
    const clock = running();
    clock.after(300 * DAY, () => undefined);
    const asked: number[] = [];
    const { setTimeout: set } = globalThis;
    globalThis.setTimeout = ((run: () => void, ms: number) => {
      asked.push(ms);
      return set(run, ms);
    }) as typeof setTimeout;
    clock.after(200 * DAY, () => undefined);
    expect(asked).toEqual([1e9]);
  });

  it('are all gone once the clock is closed, and its time is frozen', () => {
    const clock = running();
    clock.after(MS, () => expect.unreachable('the clock is closed'));
    clock.close();
    expect(host.sleeping).toBe(0);
    clock.unfreeze();
    clock.after(MS, () => expect.unreachable('the clock is closed'));
    host.pass(10 * MS);
    expect([clock.now(), host.sleeping]).toEqual([0, 0]);
  });

  it('take intervals from a millisecond on', () => {
    const clock = running();
    clock.every(MS, () => undefined)[Symbol.dispose]();
    expect(() => clock.every(MS - 1, () => undefined)).toThrow('expected at least 1000000 ns');
  });
});

describe('A moment of the host in domain time', () => {
  it('is held within the present stretch of running', () => {
    const clock = frozen();
    expect(clock.at(0n)).toBe(0);
    clock.unfreeze();
    host.pass(10 * MS);
    const here = host.nowNs;
    expect(clock.at(here - BigInt(4 * MS))).toBe(6 * MS);
    expect(clock.at(here - BigInt(40 * MS))).toBe(0);
    expect(clock.at(here + 1n)).toBe(10 * MS);
    clock.freeze();
    host.pass(50 * MS);
    expect(clock.at(here - BigInt(4 * MS))).toBe(6 * MS);
    expect(clock.at(host.nowNs)).toBe(10 * MS);
    expect(clock.at(0n)).toBe(0);
  });
});
