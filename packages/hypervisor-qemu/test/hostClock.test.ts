import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { array, assert, constantFrom, nat, property, record } from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HostClock } from '../src/run/hostClock.js';
import { temporaryFolder } from './temporaryFolder.js';

const MS = 1e6;

describe('The domain time of a real VM', () => {
  it('is the time that passed while it was not frozen, and never goes back', () => {
    const step = record({ passes: nat(1000), orders: constantFrom('freeze', 'unfreeze', 'nothing') });
    assert(
      property(array(step), (steps) => {
        let host = 5_000n;
        const clock = new HostClock(() => host);
        let expected = 0;
        let frozen = true;
        for (const { passes, orders } of steps) {
          host += BigInt(passes);
          if (!frozen) expected += passes;
          expect(clock.now()).toBe(expected);
          if (orders === 'freeze') {
            clock.freeze();
            frozen = true;
          } else if (orders === 'unfreeze') {
            clock.unfreeze();
            frozen = false;
          }
          expect(clock.now()).toBe(expected);
          expect(clock.at(host + 100n)).toBeLessThanOrEqual(clock.now());
        }
        clock.close();
      }),
    );
  });

  it('gives the domain time of a moment of the host', () => {
    let host = 1_000n;
    const clock = new HostClock(() => host);
    clock.unfreeze();
    host = 1_500n;
    expect(clock.at(1_200n)).toBe(200);
    expect(clock.at(900n)).toBe(0);
    clock.freeze();
    host = 9_000n;
    expect(clock.at(1_300n)).toBe(300);
    expect(clock.at(8_000n)).toBe(500);
  });

  function running(): HostClock {
    const clock = new HostClock();
    onTestFinished(() => clock.close());
    clock.unfreeze();
    return clock;
  }

  it('fires timers in their order, none before its time, and none that was cancelled', async () => {
    const clock = running();
    const fired: string[] = [];
    const began = clock.now();
    const done = new Promise<void>((resolve) => void clock.after(12 * MS, resolve));
    clock.after(8 * MS, () => void fired.push(clock.now() >= began + 8 * MS ? 'later' : 'too early'));
    clock.after(3 * MS, () => void fired.push('sooner'));
    clock.after(5 * MS, () => void fired.push('cancelled'))[Symbol.dispose]();
    await done;
    expect(fired).toEqual(['sooner', 'later']);
  });

  it('fires none while it is frozen', async () => {
    const clock = running();
    let fired = 0;
    clock.after(2 * MS, () => void fired++);
    clock.freeze();
    await wait(20);
    expect(fired).toBe(0);
    const done = new Promise<void>((resolve) => void clock.after(3 * MS, resolve));
    clock.unfreeze();
    await done;
    expect(fired).toBe(1);
  });

  it('reads what came in before a timer finds that nothing did', async () => {
    const path = `${await temporaryFolder()}/socket`;
    const order: string[] = [];
    const server = createServer().listen(path);
    onTestFinished(() => void server.close());
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const guest = connect(path);
    const [rmk] = await connected;
    const read = once(rmk, 'data').then(() => order.push('input'));
    const clock = running();
    const fired = new Promise<void>((resolve) => {
      clock.after(MS, () => {
        order.push('timer');
        resolve();
      });
    });
    // Written in time, but the host comes back to RMK only when the timer is due.
    guest.write('x');
    const end = performance.now() + 5;
    while (performance.now() < end);
    await Promise.all([read, fired]);
    guest.destroy();
    rmk.destroy();
    expect(order).toEqual(['input', 'timer']);
  });

  it.each([
    ['a delay that is none', (clock: HostClock) => clock.after(-1, () => {})],
    ['a delay that is no number', (clock: HostClock) => clock.after(Number.NaN, () => {})],
    ['an interval below a millisecond', (clock: HostClock) => clock.every(1000, () => {})],
  ])('refuses %s', (_, set) => {
    const clock = running();
    expect(() => set(clock)).toThrow('RMK_ERR_INPUT');
  });
});
