import { describe, expect, it } from 'vitest';
import { buildChain, type ChainDefinition } from '../src/chain/markovChain.js';
import { complement, derivative, evaluate, formatRate, parameter, product, sum } from '../src/chain/rate.js';
import { chainFrom } from './chainFixtures.js';

describe('symbolic rates', () => {
  const rate = product(2, parameter('λ'), complement(parameter('p')));
  const values = { λ: 3, p: 0.25 };

  it('are evaluated, differentiated and written', () => {
    expect(evaluate(rate, values)).toBe(4.5);
    expect(derivative(rate, 'λ', values)).toBe(1.5);
    expect(derivative(rate, 'p', values)).toBe(-6);
    expect(derivative(product(parameter('λ'), parameter('λ')), 'λ', values)).toBe(6);
    expect(derivative(sum(parameter('λ'), rate), 'λ', values)).toBe(2.5);
    expect(derivative(rate, 'other', values)).toBe(0);
    expect(formatRate(rate)).toBe('2·λ·(1 - p)');
    expect(formatRate(product(sum(parameter('a'), parameter('b')), 2))).toBe('(a + b)·2');
  });

  it('offer the nearest name for one that has no value', () => {
    expect(() => evaluate(parameter('lambda_q'), { lambda_p: 1 })).toThrow('did you mean "lambda_p"?');
  });
});

describe('a bad chain', () => {
  it.each([-1, Number.NaN, Infinity])('with a rate of %s is refused, the states named', (rate) => {
    const definition = chainFrom(2, [
      [0, 1, rate],
      [1, 0, 1],
    ]);
    expect(() => buildChain(definition, {})).toThrow(/RMK_ERR_CHAIN.*from state "0" to "1"/);
  });

  it('with a state that cannot be reached is refused, or loses it when asked', () => {
    const definition = chainFrom(3, [
      [0, 1, 1],
      [1, 0, 1],
      [2, 0, 1],
    ]);
    expect(() => buildChain(definition, {})).toThrow('the state "2" cannot be reached from "0"');
    const dropped = buildChain(definition, {}, { dropUnreachable: true });
    expect(dropped.states.map(({ name }) => name)).toEqual(['0', '1']);
    expect(dropped.arcs).toHaveLength(2);
  });

  it('with an absorbing state, or an absorbing pair, is refused', () => {
    expect(() => buildChain(chainFrom(2, [[0, 1, 1]]), {})).toThrow(
      'the state "1" is absorbing: no transition leaves it',
    );
    const pair = chainFrom(3, [
      [0, 1, 1],
      [1, 2, 1],
      [2, 1, 1],
    ]);
    expect(() => buildChain(pair, {})).toThrow(/the state "1" is absorbing: "0" cannot be reached again/);
    expect(() => buildChain(pair, {}, { dropUnreachable: true })).toThrow(/absorbing/);
  });

  it('with an absorbing state is refused wherever that state stands, also where it is the first', () => {
    const definition = { ...chainFrom(2, [[1, 0, 1]]), initial: '1' };
    expect(() => buildChain(definition, {})).toThrow(/the state "0" is absorbing/);
  });

  it('with an unknown or doubled state, or a transition to itself, is refused', () => {
    const good = chainFrom(2, [
      [0, 1, 1],
      [1, 0, 1],
    ]);
    const changed = (change: Partial<ChainDefinition>) => () => buildChain({ ...good, ...change }, {});
    expect(changed({ initial: 'x' })).toThrow(/there is no state "x"/);
    expect(changed({ states: [...good.states, ...good.states] })).toThrow(/"0" is defined twice/);
    expect(() => buildChain(chainFrom(2, [[0, 0, 1]]), {})).toThrow(/leads back to its own state/);
  });

  it('counts a rate of zero as no transition', () => {
    const definition = chainFrom(3, [
      [0, 1, 1],
      [1, 0, 1],
      [0, 2, 0],
      [2, 0, 1],
    ]);
    expect(() => buildChain(definition, {})).toThrow(/"2" cannot be reached/);
  });
});
