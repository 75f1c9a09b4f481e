import { LONG } from '../../../test/long.js';
import { describe, expect, it } from 'vitest';
import { reliability } from '../src/chain/longRun.js';
import { buildChain, type ChainDefinition } from '../src/chain/markovChain.js';
import { meanTimeTo, measure } from '../src/chain/measures.js';
import { steadyState, steadyStateByIteration } from '../src/chain/steadyState.js';
import { transient } from '../src/chain/transient.js';
import { imbalance } from './chainFixtures.js';

type State = Readonly<Record<string, number>>;
/** What can happen in a state: a rate, and what it changes. */
type Commands = (state: State) => readonly (readonly [rate: number, change: State])[];

/** All states that a system of variables reaches, as guarded commands describe it. */
function explore(
  name: string,
  start: State,
  commands: Commands,
  isUp: (state: State) => boolean,
): ChainDefinition {
  const key = (state: State) => JSON.stringify(state);
  const states = new Map([[key(start), start]]);
  const transitions: ChainDefinition['transitions'][number][] = [];
  for (const [from, state] of states) {
    for (const [value, change] of commands(state)) {
      const next = { ...state, ...change };
      const to = key(next);
      if (!states.has(to)) states.set(to, next);
      if (to !== from) transitions.push({ from, to, rate: { kind: 'number', value }, label: '' });
    }
  }
  return {
    name,
    states: [...states].map(([each, state]) => ({ name: each, reward: isUp(state) ? 1 : 0 })),
    transitions,
    initial: key(start),
  };
}

/** The dependable workstation cluster of Haverkort, Hermanns and Katoen (2000), in the version of PRISM and QComp. */
function workstationCluster(n: number): ChainDefinition {
  const parts = [
    { name: 'left', most: n, failure: 1 / 500, repair: 2 },
    { name: 'right', most: n, failure: 1 / 500, repair: 2 },
    { name: 'toleft', most: 1, failure: 1 / 4000, repair: 0.25 },
    { name: 'toright', most: 1, failure: 1 / 4000, repair: 0.25 },
    { name: 'line', most: 1, failure: 1 / 5000, repair: 0.125 },
  ];
  const start = Object.fromEntries([
    ...parts.map(({ name, most }) => [name, most]),
    ['repairing', 0],
  ]) as State;
  const commands: Commands = (state) =>
    parts.flatMap(({ name, most, failure, repair }, index) => {
      const working = state[name] ?? 0;
      const busy = state['repairing'] ?? 0;
      return [
        ...(working > 0 ? [[failure * working, { [name]: working - 1 }] as const] : []),
        ...(working < most && busy === 0 ? [[10, { repairing: index + 1 }] as const] : []),
        ...(busy === index + 1 ? [[repair, { [name]: working + 1, repairing: 0 }] as const] : []),
      ];
    });
  return explore(
    'workstation cluster',
    start,
    commands,
    ({ left = 0, right = 0, toleft, toright, line }) =>
      (left >= n && toleft === 1) ||
      (right >= n && toright === 1) ||
      (left + right >= n && toleft === 1 && toright === 1 && line === 1),
  );
}

/**
 * The embedded control system of Muppala, Ciardo and Trivedi (1994), in the version of PRISM and QComp. Rates are per
 * hour.
 */
function embeddedControl(mostSkipped: number): ChainDefinition {
  const hour = 3600;
  const [processor, sensor, actuator] = [1 / (365 * 24), 1 / (30 * 24), 1 / (60 * 24)];
  const [timer, transientFault, reboot] = [hour / 60, 1 / 24, hour / 30];
  const start: State = { s: 3, i: 2, a: 2, o: 2, m: 1, count: 0, comp: 1, reqi: 1, reqo: 0 };
  const bit = (value: boolean) => (value ? 1 : 0);
  const commands: Commands = ({
    s = 0,
    i = 0,
    a = 0,
    o = 0,
    m = 0,
    count = 0,
    comp = 0,
    reqi = 0,
    reqo = 0,
  }) => [
    ...(s > 1 ? [[s * sensor, { s: s - 1 }] as const] : []),
    ...(a > 0 ? [[a * actuator, { a: a - 1 }] as const] : []),
    ...(i > 0 && s >= 2 ? [[processor, { i: 0 }] as const] : []),
    ...(i === 2 && s >= 2 ? [[transientFault, { i: 1 }] as const] : []),
    ...(o > 0 && a >= 1 ? [[processor, { o: 0 }] as const] : []),
    ...(o === 2 && a >= 1 ? [[transientFault, { o: 1 }] as const] : []),
    ...(m === 1 ? [[processor, { m: 0 }] as const] : []),
    ...(i === 1 && s >= 2
      ? [
          [
            reboot,
            {
              i: 2,
              comp: bit(comp === 1 || (m === 1 && reqo === 0)),
              reqi: 1,
              reqo: bit(!(o === 2 && a >= 1) && (reqo === 1 || m === 1)),
            },
          ] as const,
        ]
      : []),
    ...(o === 1 && a >= 1
      ? [
          [
            reboot,
            {
              o: 2,
              comp: bit(comp === 1 || (reqi === 1 && m === 1)),
              reqi: bit((i === 2 && s >= 2) || (reqi === 1 && m === 0)),
              reqo: 0,
            },
          ] as const,
        ]
      : []),
    [
      timer,
      {
        count: comp === 1 ? 0 : Math.min(count + 1, mostSkipped + 1),
        comp: bit(reqi === 1 && reqo === 0 && m === 1),
        reqi: bit((i === 2 && s >= 2) || (reqi === 1 && (reqo === 1 || m === 0))),
        reqo: bit(!(o === 2 && a >= 1) && (reqo === 1 || (reqi === 1 && m === 1))),
      },
    ],
  ];
  return explore(
    'embedded control',
    start,
    commands,
    ({ s = 0, i, a = 0, o, m, count }) =>
      !((i === 2 && s < 2) || count === mostSkipped + 1 || (o === 2 && a < 1) || m === 0),
  );
}

/** The cyclic polling server of Ibe and Trivedi (1990), in the version of PRISM. Up means that station 5 is empty. */
function pollingServer(stations: number): ChainDefinition {
  const station = (index: number) => `s${index}`;
  const start: State = {
    s: 1,
    a: 0,
    ...Object.fromEntries(Array.from({ length: stations }, (_, i) => [station(i + 1), 0])),
  };
  const commands: Commands = (state) => {
    const { s = 1, a = 0 } = state;
    const full = state[station(s)] === 1;
    const next = (s % stations) + 1;
    return [
      ...Array.from({ length: stations }, (_, i) => station(i + 1))
        .filter((each) => state[each] === 0)
        .map((each) => [1 / stations, { [each]: 1 }] as const),
      ...(a === 0 ? [[200, full ? { a: 1 } : { s: next }] as const] : []),
      ...(a === 1 && full ? [[1, { s: next, a: 0, [station(s)]: 0 }] as const] : []),
    ];
  };
  return explore('polling server', start, commands, (state) => state[station(stations)] === 0);
}

describe('published chains', () => {
  it('workstation cluster, N = 2 (QComp 2019): S=? [premium] is 0.9999615335623628', () => {
    const chain = buildChain(workstationCluster(2), {});
    expect(chain.states).toHaveLength(276);
    expect(measure(chain).availability).toBeCloseTo(0.9999615335623628, 14);
    const { probabilities } = steadyStateByIteration(chain);
    expect(measure(chain, probabilities).availability).toBeCloseTo(0.9999615335623628, 11);
  });

  it.each(LONG ? [8, 16] : [8])(
    'workstation cluster, N = %i: elimination balances each of its states',
    (n) => {
      const chain = buildChain(workstationCluster(n), {});
      expect(chain.states).toHaveLength({ 8: 2_772, 16: 10_132 }[n] ?? 0);
      const pi = steadyState(chain);
      expect(imbalance(chain, pi)).toBeLessThan(1e-12);
      expect(pi.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    },
  );

  it('embedded control system (QComp 2019): the mean time to failure is 424.1375029673584 h', () => {
    // Two cycles may be skipped (MAX_COUNT = 2).
    const chain = buildChain(embeddedControl(2), {}, { absorbing: true });
    expect(meanTimeTo(chain) / 424.1375029673584).toBeCloseTo(1, 13);
  });

  it('polling server, 5 stations (PRISM poll5): the results of its regression test', () => {
    const chain = buildChain(pollingServer(5), {});
    expect(chain.states).toHaveLength(240);
    // P=? [ F=T s5=1 ]
    for (const [t, wanted] of [
      [0.02, 0.00398714],
      [0.04, 0.00790455],
      [0.06, 0.0117304],
      [0.08, 0.015468],
      [0.1, 0.0191205],
    ] as const) {
      const full = transient(chain, t).reduce(
        (sum, p, i) => sum + p * (1 - (chain.states[i]?.reward ?? 0)),
        0,
      );
      // Its fast adaptive uniformisation is good for some six digits.
      expect(Math.abs(full / wanted - 1)).toBeLessThan(3e-6);
    }
    // A station fills at a rate of 1/5 while it is empty, whatever the server does.
    expect(reliability(chain, 1)).toBeCloseTo(Math.exp(-0.2), 10);
  });
});
