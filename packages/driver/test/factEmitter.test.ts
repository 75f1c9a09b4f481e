import { FactEmitter } from '@rmk/driver';
import { describe, expect, it } from 'vitest';

describe('a fact emitter', () => {
  const fact = { atNs: 1, code: 0 };

  it('calls all who observe, in the order in which they were added, until they dispose', () => {
    const emitter = new FactEmitter();
    const called: string[] = [];
    expect(emitter.isObserved('exited')).toBe(false);
    const first = emitter.observe('exited', () => void called.push('first'));
    emitter.observe('exited', () => void called.push('second'));
    emitter.observe('gone', () => void called.push('another fact'));
    emitter.emit('exited', fact);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    emitter.emit('exited', fact);
    expect(called).toEqual(['first', 'second', 'second']);
    expect(emitter.isObserved('exited')).toBe(true);
  });

  it('is observed for as long as somebody listens', () => {
    const emitter = new FactEmitter();
    const only = emitter.observe('exited', () => undefined);
    expect([emitter.isObserved('exited'), emitter.isObserved('gone')]).toEqual([true, false]);
    only[Symbol.dispose]();
    expect(emitter.isObserved('exited')).toBe(false);
  });

  it('passes the fact itself', () => {
    const emitter = new FactEmitter();
    const received: unknown[] = [];
    emitter.observe('exited', (what) => void received.push(what));
    emitter.emit('exited', fact);
    expect(received[0]).toBe(fact);
  });

  it('takes the same function twice, and disposes one of the two', () => {
    const emitter = new FactEmitter();
    let calls = 0;
    const count = (): void => void calls++;
    const [one] = [emitter.observe('exited', count), emitter.observe('exited', count)];
    emitter.emit('exited', fact);
    one[Symbol.dispose]();
    emitter.emit('exited', fact);
    expect(calls).toBe(3);
  });

  it('calls nobody for a fact that was emitted before he observed, also where it is still being emitted', () => {
    const emitter = new FactEmitter();
    let late = 0;
    let nested = false;
    emitter.observe('exited', () => {
      if (nested) return;
      nested = true;
      emitter.observe('exited', () => void late++);
      emitter.emit('exited', fact);
    });
    emitter.emit('exited', fact);
    // Once, for the fact that was emitted within.
    expect(late).toBe(1);
    emitter.emit('exited', fact);
    expect(late).toBe(2);
  });

  it('calls nobody who was disposed by a listener before him', () => {
    const emitter = new FactEmitter();
    const called: string[] = [];
    emitter.observe('exited', () => {
      called.push('first');
      second[Symbol.dispose]();
    });
    const second = emitter.observe('exited', () => void called.push('second'));
    emitter.emit('exited', fact);
    expect(called).toEqual(['first']);
  });
});
