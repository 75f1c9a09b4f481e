import { describe, expect, it } from 'vitest';
import { FactTeller } from '@rmk/core';

describe('a fact teller', () => {
  const fact = { atNs: 1, code: 0 };

  it('tells all who observe, in the order in which they came, until they dispose', () => {
    const teller = new FactTeller();
    const told: string[] = [];
    expect(teller.isObserved('exited')).toBe(false);
    const first = teller.observe('exited', () => void told.push('first'));
    teller.observe('exited', () => void told.push('second'));
    teller.observe('gone', () => void told.push('another fact'));
    teller.tell('exited', fact);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    teller.tell('exited', fact);
    expect(told).toEqual(['first', 'second', 'second']);
    expect(teller.isObserved('exited')).toBe(true);
  });

  it('takes the same function twice, and gives up one of the two', () => {
    const teller = new FactTeller();
    let told = 0;
    const count = (): void => void told++;
    const [one] = [teller.observe('exited', count), teller.observe('exited', count)];
    teller.tell('exited', fact);
    one[Symbol.dispose]();
    teller.tell('exited', fact);
    expect(told).toBe(3);
  });

  it('does not tell of the present fact whoever comes while it is told', () => {
    const teller = new FactTeller();
    let late = 0;
    teller.observe('exited', () => void teller.observe('exited', () => void late++));
    teller.tell('exited', fact);
    expect(late).toBe(0);
    teller.tell('exited', fact);
    expect(late).toBe(1);
  });
});
