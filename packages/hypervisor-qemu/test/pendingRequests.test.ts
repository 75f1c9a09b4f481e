import { RmkError } from '@rmk/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PendingRequests } from '../src/process/pendingRequests.js';
import { HostLoop } from './hostLoop.js';

const MS = 1e6;

let host: HostLoop;
beforeEach(() => {
  host = new HostLoop();
  host.enter();
});
afterEach(() => host.leave());

describe('The pending requests of a connection', () => {
  it('are numbered from 1 in the order in which they are sent, and settled by their numbers', async () => {
    const requests = new PendingRequests<string>();
    const sent: number[] = [];
    const [one, two, three] = ['a', 'b', 'c'].map((name) => requests.add(name, (id) => void sent.push(id)));
    expect(sent).toEqual([1, 2, 3]);
    expect([requests.oldest, requests.nameOf(2), requests.nameOf(4)]).toEqual([1, 'b', undefined]);
    requests.resolve(2, 'second');
    requests.reject(1, new Error('refused'));
    expect(requests.oldest).toBe(3);
    requests.resolve(requests.oldest, 'third');
    await expect(one).rejects.toThrow('refused');
    expect(await two).toBe('second');
    expect(await three).toBe('third');
    expect(requests.oldest).toBeUndefined();
  });

  it('may be answered while they are being sent', async () => {
    const requests = new PendingRequests<string>();
    expect(await requests.add('a', (id) => requests.resolve(id, 'at once'))).toBe('at once');
  });

  it('are settled once: what comes late or for nobody is ignored', async () => {
    const requests = new PendingRequests<string>();
    const request = requests.add('a', () => undefined);
    requests.resolve(1, 'first');
    requests.resolve(1, 'second');
    requests.reject(1, new Error('late'));
    requests.resolve(undefined, 'nobody');
    requests.resolve(9, 'nobody');
    expect(await request).toBe('first');
  });

  it('expire on their own, once, and are still pending then', () => {
    const requests = new PendingRequests<string>();
    const expired: unknown[] = [];
    const timeout = { ms: 5, expired: (id: number) => void expired.push([id, requests.nameOf(id)]) };
    void requests.add('a', () => undefined, timeout);
    void requests.add('b', () => undefined, { ...timeout, ms: 7 });
    host.pass(5 * MS - 1);
    expect(expired).toEqual([]);
    host.pass(1);
    expect(expired).toEqual([[1, 'a']]);
    requests.resolve(2, 'in time');
    host.pass(10 * MS);
    expect(expired).toEqual([[1, 'a']]);
    expect(host.sleeping).toBe(0);
  });

  it('are forgotten if sending them throws: they cannot expire', async () => {
    const requests = new PendingRequests<string>();
    const timeout = { ms: 5, expired: () => expect.unreachable('it was never sent') };
    const unsent = requests.add(
      'a',
      () => {
        throw new TypeError('cannot be encoded');
      },
      timeout,
    );
    await expect(unsent).rejects.toThrow(new TypeError('cannot be encoded'));
    expect([requests.oldest, requests.nameOf(1), host.sleeping]).toEqual([undefined, undefined, 0]);
    expect(await requests.add('b', (id) => requests.resolve(id, `response ${id}`), timeout)).toBe(
      'response 2',
    );
  });

  it('without a timeout wait forever', () => {
    void new PendingRequests<string>().add('a', () => undefined);
    expect(host.sleeping).toBe(0);
  });

  it('are all rejected when the connection is lost, and so is every later one, unsent', async () => {
    const requests = new PendingRequests<string>();
    const timeout = { ms: 5, expired: () => expect.unreachable('the connection is lost') };
    const pending = [1, 2].map((name) => requests.add(`${name}`, () => undefined, timeout));
    expect(requests.loss).toBeUndefined();
    const loss = new RmkError('RMK_ERR_GONE', 'QEMU ended');
    expect(requests.lose(loss)).toBe(true);
    expect(requests.lose(new RmkError('RMK_ERR_GONE', 'again'))).toBe(false);
    expect(requests.loss).toBe(loss);
    for (const request of pending) await expect(request).rejects.toBe(loss);
    const late = requests.add('late', () => expect.unreachable('the connection is lost'), timeout);
    await expect(late).rejects.toBe(loss);
    expect(host.sleeping).toBe(0);
  });
});
