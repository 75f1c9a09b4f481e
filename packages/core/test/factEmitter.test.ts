import { describe, expect, it } from 'vitest';
import { FactEmitter } from '@rmk/core';

describe('a fact emitter', () => {
  const fact = { atNs: 1, code: 0 };

  it('tells all who observe, in the order in which they came, until they dispose', () => {
    const emitter = new FactEmitter();
    const told: string[] = [];
    expect(emitter.isObserved('exited')).toBe(false);
    const first = emitter.observe('exited', () => void told.push('first'));
    emitter.observe('exited', () => void told.push('second'));
    emitter.observe('gone', () => void told.push('another fact'));
    emitter.emit('exited', fact);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    emitter.emit('exited', fact);
    expect(told).toEqual(['first', 'second', 'second']);
    expect(emitter.isObserved('exited')).toBe(true);
  });

  it('takes the same function twice, and gives up one of the two', () => {
    const emitter = new FactEmitter();
    let told = 0;
    const count = (): void => void told++;
    const [one] = [emitter.observe('exited', count), emitter.observe('exited', count)];
    emitter.emit('exited', fact);
    one[Symbol.dispose]();
    emitter.emit('exited', fact);
    expect(told).toBe(3);
  });

  it('does not tell of the present fact whoever comes while it is told', () => {
    const emitter = new FactEmitter();
    let late = 0;
    emitter.observe('exited', () => void emitter.observe('exited', () => void late++));
    emitter.emit('exited', fact);
    expect(late).toBe(0);
    emitter.emit('exited', fact);
    expect(late).toBe(1);
  });
});
