import type { EventName } from '@rmk/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { EventBus, ScopedBus } from '../../src/bus/bus.js';
import { DeclaredEvents } from '../../src/bus/declaredEvents.js';
import { Hold } from '../../src/scope/hold.js';
import { Scope, type Watch } from '../../src/scope/scope.js';

/** Each name that is asked for is declared. */
const events = Array.from({ length: 1000 }, (_, i) => `EVT_X${toLetters(i)}` as EventName);

function toLetters(i: number): string {
  return i.toString().replaceAll(/\d/g, (digit) => String.fromCharCode('A'.charCodeAt(0) + Number(digit)));
}

let bus: EventBus;

beforeEach(() => {
  bus = new EventBus(new DeclaredEvents([], events));
});

/** A plugin of the bus. */
function scopeOf(name: string): { readonly scope: Scope; readonly own: ScopedBus } {
  const watch: Watch = {
    stopwatch: bus.stopwatch,
    fault: (_, { error }) => {
      throw error;
    },
    took: () => {},
    waits: () => ({ [Symbol.dispose]: () => {} }),
  };
  const scope = new Scope(name, new Hold(), watch);
  return { scope, own: new ScopedBus(bus, scope) };
}

const EVENT = 'EVT_LOGLOST';
const event = () => ({ atNs: 0, reason: '' });

describe('what the bus keeps', () => {
  it('is a channel for each event that is listened to or has a topic, and none for those that were', () => {
    const { scope, own } = scopeOf('short-lived');
    const { own: lasting } = scopeOf('lasting');
    lasting.topic(EVENT);
    for (const name of events) {
      own.topic(name);
      own.on(name, () => {});
    }
    expect(bus.size).toEqual({ channels: 1001, subscriptions: 1000 });
    scope.close('stopped');
    expect(bus.size).toEqual({ channels: 1, subscriptions: 0 });
  });

  it('is nothing of an event whose last subscription is disposed of, and one channel while others are', () => {
    const { own } = scopeOf('one');
    for (const name of events) own.on(name, () => {})[Symbol.dispose]();
    expect(bus.size).toEqual({ channels: 0, subscriptions: 0 });
    const [first, second] = [own.on(EVENT, () => {}), own.on(EVENT, () => {})];
    first[Symbol.dispose]();
    expect(bus.size).toEqual({ channels: 1, subscriptions: 1 });
    second[Symbol.dispose]();
    expect(bus.size).toEqual({ channels: 0, subscriptions: 0 });
  });

  it('is one topic of an event for each plugin, however often it asks', () => {
    const { scope, own } = scopeOf('forgetful');
    const topic = own.topic(EVENT);
    for (let i = 0; i < 1000; i++) expect(own.topic(EVENT)).toBe(topic);
    scope.close('quarantined');
    expect(bus.size.channels).toBe(0);
    // What is left of it may ask, and gets what does nothing.
    own.topic(EVENT).publish(event());
    expect(bus.size.channels).toBe(0);
    scope.close('stopped');
    expect(bus.size.channels).toBe(0);
  });

  it('is at most twice what is subscribed, over thousands of subscriptions that come and go', () => {
    const { own } = scopeOf('busy');
    const lasting = Array.from({ length: 10 }, () => own.on(EVENT, () => {}));
    let most = 0;
    for (let i = 0; i < 5000; i++) {
      own.on(EVENT, () => {})[Symbol.dispose]();
      most = Math.max(most, bus.size.subscriptions);
    }
    expect(most).toBeLessThanOrEqual(20);
    own.topic(EVENT).publish(event());
    expect(bus.size.subscriptions).toBe(lasting.length);
  });
});

describe('disposing of a subscription', () => {
  /** How many subscriptions the registry is asked for while `count` are disposed of one by one, in `order`. */
  function visits(count: number, order: (list: Disposable[]) => readonly Disposable[]): number {
    const { own } = scopeOf('many');
    const all = Array.from({ length: count }, () => own.on(EVENT, () => {}));
    let visited = 0;
    let before = bus.size.subscriptions;
    for (const subscription of order(all)) {
      subscription[Symbol.dispose]();
      const { subscriptions } = bus.size;
      // The list is only walked when it is made shorter.
      if (subscriptions < before) visited += before;
      before = subscriptions;
    }
    expect(bus.size).toEqual({ channels: 0, subscriptions: 0 });
    return visited;
  }

  it.each([
    ['oldest first', (list: Disposable[]) => list],
    ['newest first', (list: Disposable[]) => list.toReversed()],
  ] as const)('walks no list longer than twice their number in all, %s', (_, order) => {
    for (const count of [1, 2, 3, 100, 4096]) expect(visits(count, order)).toBeLessThanOrEqual(2 * count);
  });

  it('leaves the order of the others, also while an event is under way', () => {
    const { own } = scopeOf('ordered');
    const heard: string[] = [];
    const subscriptions = 'abcdefgh'.split('').map((name) =>
      own.on(EVENT, () => {
        heard.push(name);
        if (name === 'b') for (const i of [0, 2, 4]) subscriptions[i]?.[Symbol.dispose]();
      }),
    );
    own.topic(EVENT).publish(event());
    expect(heard.splice(0).join('')).toBe('abdfgh');
    own.on(EVENT, () => void heard.push('i'));
    own.topic(EVENT).publish(event());
    expect(heard.join('')).toBe('bdfghi');
  });
});

describe('an event that is queued while its channel has become unused', () => {
  it('reaches who subscribes before its turn comes', () => {
    const { own: host } = scopeOf('host');
    const { scope, own } = scopeOf('leaving');
    const heard: string[] = [];
    const last = host.on('EVT_VMGONE', () => void heard.push('last'));
    host.on(EVENT, () => {
      own.topic('EVT_VMGONE').publish({ atNs: 0, reason: 'power' });
      last[Symbol.dispose]();
      scope.close('stopped');
      host.on('EVT_VMGONE', ({ reason }) => void heard.push(reason));
    });
    host.topic(EVENT).publish(event());
    expect(heard).toEqual(['power']);
    expect(bus.size.channels).toBe(2);
  });
});
