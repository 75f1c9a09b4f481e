import { describe, expect, it } from 'vitest';
import { MICRO_CHECKPOINT } from '../src/availability/microCheckpoint.js';
import { parameterSet } from '../src/availability/parameterSets.js';
import { availabilityOf, valuesOf } from '../src/availability/study.js';
import { parseChain } from '../src/chain/chainFile.js';
import { buildChain } from '../src/chain/markovChain.js';
import { measure } from '../src/chain/measures.js';
import { labelled, meanReward, parsePrism, toPrism } from '../src/chain/prism.js';
import { steadyState } from '../src/chain/steadyState.js';

const transitions = '3 4\n0 1 2\n1 0 3\n1 2 0.5\n2 0 1e-1\n';
const labels = '0="init" 1="deadlock" 2="up"\n0: 0 2\n1: 2\n';
const rewards = '3 2\n0 4\n2 1.5\n';

describe('PRISM’s explicit files', () => {
  it('give a chain with its labels and rewards', () => {
    const {
      definition,
      labels: named,
      rewards: numbers,
    } = parsePrism({ transitions, labels, rewards }, 'x.tra', 'up');
    const chain = buildChain(definition, {});
    expect(definition.initial).toBe('0');
    expect(chain.states).toEqual([
      { name: '0', reward: 1 },
      { name: '1', reward: 1 },
      { name: '2', reward: 0 },
    ]);
    expect(chain.arcs.map(({ from, to, rate }) => [from, to, rate])).toEqual([
      [0, 1, 2],
      [1, 0, 3],
      [1, 2, 0.5],
      [2, 0, 0.1],
    ]);
    expect([...labelled(named, 'up')]).toEqual(['0', '1']);
    expect([...labelled(named, 'deadlock')]).toEqual([]);
    expect([...(numbers ?? [])]).toEqual([4, 0, 1.5]);
    const pi = steadyState(chain);
    expect(meanReward(chain, pi, numbers ?? new Float64Array(3))).toBeCloseTo(
      4 * (pi[0] as number) + 1.5 * (pi[2] as number),
      12,
    );
  });

  it('start where the label init says, or in state 0, and are up everywhere without a label', () => {
    const moved = parsePrism({ transitions, labels: '0="init"\n2: 0\n' }, 'x.tra');
    expect(moved.definition.initial).toBe('2');
    expect(moved.rewards).toBeUndefined();
    const plain = parsePrism({ transitions }, 'x.tra');
    expect(plain.definition.initial).toBe('0');
    expect(plain.definition.states.map(({ reward }) => reward)).toEqual([1, 1, 1]);
  });

  it('may have rates from a state to itself, which change nothing', () => {
    const { definition } = parsePrism({ transitions: '2 3\n0 0 7\n0 1 1\n1 0 1\n' }, 'x.tra');
    expect(definition.transitions).toHaveLength(2);
  });

  it.each([
    ['', /x\.tra is empty/],
    ['3 4 5\n', /does not begin with the numbers of states and transitions of a CTMC/],
    ['0 0\n', /does not begin/],
    ['three 4\n', /line 1: "three 4": it is not a line of numbers/],
    ['2 1\n0 2 1\n', /line 2: "0 2 1": there are states 0 to 1/],
    ['2 1\n0 0.5 1\n', /line 2: .*there are states 0 to 1/],
    ['2 1\n0 1\n', /line 2: "0 1": a transition is "from to rate"/],
    ['2 1\n\n0 1 1 1\n', /line 3: .*a transition is/],
  ])('are refused with the line: %j', (text, message) => {
    expect(() => parsePrism({ transitions: text }, 'x.tra')).toThrow(message);
  });

  it('are refused with the line of their labels and rewards', () => {
    const parse = (more: { labels?: string; rewards?: string }) => () =>
      parsePrism({ transitions, ...more }, 'x.tra', 'up');
    expect(parse({ labels: '\n' })).toThrow('the file of the labels is empty');
    expect(parse({ rewards: '' })).toThrow('the file of the rewards is empty');
    expect(parse({ labels: '0="up"\nzero: 0\n' })).toThrow(/the labels, line 2: "zero: 0"/);
    expect(parse({ labels: '0="up"\n0: 3\n' })).toThrow(/there is no label 3/);
    expect(parse({ labels: '0="up"\n9: 0\n' })).toThrow(/there are states 0 to 2/);
    expect(parse({ labels: '0="upp"\n' })).toThrow(/there is no label "up"; did you mean "upp"/);
    expect(parse({ labels, rewards: '3 1\n0 1 2\n' })).toThrow(/the rewards, line 2: .*"state reward"/);
  });
});

describe('a chain as a model of PRISM', () => {
  const parameters = parameterSet('reconstruction');
  const values = valuesOf('dual', { parameters });
  const text = toPrism(MICRO_CHECKPOINT, values);

  /** Reads the model's own text back: constants, commands and labels. */
  function readBack(model: string) {
    const constants = new Map(
      [...model.matchAll(/^const double (\w+) = ([^;]+);/gm)].map(([, name = '', value]) => [
        name,
        Number(value),
      ]),
    );
    const valueOf = (name: string) => constants.get(name) ?? Number(name);
    /** The rates of figure 5 are products of parameters and of complements. */
    const evaluate = (expression: string) =>
      expression.split('*').reduce((rate, factor) => {
        const complement = /^\(1-(\w+)\)$/.exec(factor)?.[1];
        return rate * (complement === undefined ? valueOf(factor) : 1 - valueOf(complement));
      }, 1);
    const arcs = [...model.matchAll(/^ {2}\[\] s=(\d+) -> ([^:]+) : \(s'=(\d+)\);/gm)].map(
      ([, from, rate = '', to]) => `${from} ${to} ${evaluate(rate)}`,
    );
    const [, last, initial] = /s : \[0\.\.(\d+)\] init (\d+);/.exec(model) ?? [];
    const up = [...(/label "up" = (.*);/.exec(model)?.[1] ?? '').matchAll(/s=(\d+)/g)].map(
      ([, state]) => state,
    );
    const states = Number(last) + 1;
    return parsePrism(
      {
        transitions: `${states} ${arcs.length}\n${arcs.join('\n')}\n`,
        labels: `0="init" 1="up"\n${[...new Set([initial, ...up])].map((s) => `${s}:${s === initial ? ' 0' : ''}${up.includes(s) ? ' 1' : ''}`).join('\n')}\n`,
      },
      'figure 5',
      'up',
    );
  }

  it('has figure 5’s availability when it is read back', () => {
    const { definition } = readBack(text);
    expect(definition.states).toHaveLength(6);
    expect(definition.transitions).toHaveLength(MICRO_CHECKPOINT.transitions.length);
    expect(measure(buildChain(definition, {})).availability).toBeCloseTo(
      availabilityOf('dual', { parameters }),
      14,
    );
  });

  it('names what it can in PRISM’s letters, and the rest in comments', () => {
    expect(text).toMatch(/^\/\/ VM-µCheckpoint \(figure 5\)\nctmc\n/);
    expect(text).toContain(`const double lambda_p = ${values['λp']}; // λp, per hour or a probability`);
    expect(text).toContain('const double r_prime_p = ');
    expect(text).toContain(
      "  [] s=0 -> lambda_p*(1-pc) : (s'=1); // VM fails, checkpoint usable: λp·(1 - pc)",
    );
    expect(text).toContain('  // s=3: (1,F)');
    expect(text).toContain('label "up" = s=0 | s=3;');
    expect(text).toMatch(/rewards "availability"\n {2}s=0 : 1;\n {2}s=3 : 1;\nendrewards/);
  });

  it('declares each parameter once', () => {
    const rate = { kind: 'parameter', name: 'λ1' } as const;
    const written = toPrism(
      {
        name: 'x',
        initial: 'a',
        states: ['a', 'b'].map((name) => ({ name, reward: 1 })),
        transitions: [
          { from: 'a', to: 'b', label: '', rate },
          { from: 'b', to: 'a', label: '', rate },
        ],
      },
      { λ1: 0.25 },
    );
    expect(written.match(/^const double .*$/gm)).toEqual([
      'const double lambda_1 = 0.25; // λ1, per hour or a probability',
    ]);
  });

  it('writes sums, and a system that is never up', () => {
    const never = {
      name: 'x',
      initial: 'b',
      states: [
        { name: 'a', reward: 0 },
        { name: 'b', reward: 0.5 },
      ],
      transitions: [
        {
          from: 'a',
          to: 'b',
          label: '',
          rate: {
            kind: 'sum',
            terms: [
              { kind: 'parameter', name: 'pd|c' },
              { kind: 'number', value: 2 },
            ],
          } as const,
        },
      ],
    };
    const model = toPrism(never, { 'pd|c': 0.25 });
    expect(model).toContain("[] s=0 -> (pd_given_c+2) : (s'=1);");
    expect(model).toContain('label "up" = false;');
    expect(model).toContain('s : [0..1] init 1;');
    expect(model).toMatch(/rewards "availability"\n {2}s=1 : 0\.5;\nend/);
  });
});

describe('a chain in JSON', () => {
  const content = {
    name: 'a server',
    parameters: { λ: 0.001, share: 0.25 },
    states: [
      { name: 'up', reward: 1 },
      { name: 'down', reward: 0 },
    ],
    transitions: [
      { from: 'up', to: 'down', rate: ['λ', 'share', 4], label: 'fails' },
      { from: 'down', to: 'up', rate: 2 },
    ],
  };

  it('has rates as numbers, parameters and products', () => {
    const { definition, values } = parseChain(content, 'c.json');
    expect(definition).toMatchObject({ name: 'a server', initial: 'up' });
    const chain = buildChain(definition, values);
    expect(chain.arcs.map(({ rate }) => rate)).toEqual([0.001, 2]);
    const named = {
      ...content,
      initial: 'down',
      transitions: [{ from: 'up', to: 'down', rate: 'λ' }, content.transitions[1]],
    };
    expect(parseChain(named, 'c.json').definition.initial).toBe('down');
    expect(buildChain(parseChain(named, 'c.json').definition, values).arcs[0]?.rate).toBe(0.001);
    const { name: _, ...unnamed } = content;
    expect(parseChain(unnamed, 'c.json').definition.name).toBe('c.json');
  });

  it('is refused with every path that is wrong', () => {
    expect(() => parseChain({ states: [], transitions: [{ from: 'a' }] }, 'c.json')).toThrow(
      /RMK_ERR_INPUT: c\.json is not a chain[^]*states: [^]*transitions\.0\.to: /,
    );
    expect(() => parseChain(7, 'c.json')).toThrow(/the file: /);
  });
});
