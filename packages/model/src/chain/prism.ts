import { ModelError, suggestion } from '../errors.js';
import type { ChainDefinition, MarkovChain } from './markovChain.js';
import { formatRate, type ParameterValues, parametersOf, type Rate } from './rate.js';

/** The texts of PRISM's explicit files, as `prism -exportmodel` writes them. */
export interface PrismFiles {
  /** `.tra`: a header of states and transitions, then `from to rate` a line. */
  readonly transitions: string;
  /** `.lab`: the labels and their numbers, then the labels of each state. */
  readonly labels?: string;
  /** `.srew`: a header, then `state reward` a line. */
  readonly rewards?: string;
}

/** A chain of PRISM. A state's name is its number. */
export interface PrismChain {
  /** Rewards are 1 in states with the label `up`, and elsewhere 0. */
  readonly definition: ChainDefinition;
  /** The states of each label. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
  /** The numbers of the `.srew` file by state, 0 where it has none. Undefined without such a file. */
  readonly rewards: Float64Array | undefined;
}

/** A million states take some gigabytes. */
const MOST_STATES = 1_000_000;

/**
 * Reads a chain from PRISM's explicit files. The state with the label `init` is the initial one, else state 0. `up`
 * names the label of the states in which the service is up; without it all states are.
 *
 * Throws RMK_ERR_INPUT, with the line, for a file that is not of its form.
 */
export function parsePrism(files: PrismFiles, path: string, up?: string): PrismChain {
  const [header, ...lines] = linesOf(files.transitions);
  const [count, , ...more] = numbers(header, path);
  if (
    count === undefined ||
    !Number.isInteger(count) ||
    count < 1 ||
    count > MOST_STATES ||
    more.length > 0
  ) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `${path} does not begin with the numbers of states and transitions of a CTMC`,
    );
  }
  const name = (state: number | undefined, line: Line): string => {
    if (state === undefined || !Number.isInteger(state) || state < 0 || state >= count) {
      throw malformed(path, line, `there are states 0 to ${count - 1}`);
    }
    return String(state);
  };
  const transitions = lines.map((line) => {
    const [from, to, rate, ...rest] = numbers(line, path);
    if (rate === undefined || rest.length > 0) throw malformed(path, line, 'a transition is "from to rate"');
    return {
      from: name(from, line),
      to: name(to, line),
      rate: { kind: 'number', value: rate } as const,
      label: '',
    };
  });
  const labels = new Map<string, Set<string>>();
  if (files.labels !== undefined) {
    const [names, ...marked] = linesOf(files.labels);
    if (names === undefined) throw new ModelError('RMK_ERR_INPUT', 'the file of the labels is empty');
    const known = [...names.text.matchAll(/(\d+)="([^"]+)"/g)].map(
      ([, number, label]) => [number, label ?? ''] as const,
    );
    for (const [, label] of known) labels.set(label, new Set());
    for (const line of marked) {
      const match = /^(\d+):((?: \d+)*)$/.exec(line.text);
      if (match === null) throw malformed('the labels', line, 'a line is "state: label label"');
      for (const number of (match[2] ?? '').trim().split(' ')) {
        const label = known.find(([each]) => each === number)?.[1];
        if (label === undefined) throw malformed('the labels', line, `there is no label ${number}`);
        labels.get(label)?.add(name(Number(match[1]), line));
      }
    }
  }
  let rewards: Float64Array | undefined;
  if (files.rewards !== undefined) {
    rewards = new Float64Array(count);
    const [states, ...rewarded] = linesOf(files.rewards);
    if (states === undefined) throw new ModelError('RMK_ERR_INPUT', 'the file of the rewards is empty');
    for (const line of rewarded) {
      const [state, reward, ...rest] = numbers(line, 'the rewards');
      if (reward === undefined || rest.length > 0)
        throw malformed('the rewards', line, 'a line is "state reward"');
      rewards[Number(name(state, line))] = reward;
    }
  }
  const isUp = up === undefined ? undefined : labelled(labels, up);
  const [initial = '0'] = labels.get('init') ?? [];
  return {
    definition: {
      name: path,
      states: Array.from({ length: count }, (_, state) => ({
        name: String(state),
        reward: isUp === undefined || isUp.has(String(state)) ? 1 : 0,
      })),
      // A rate from a state to itself changes nothing in continuous time.
      transitions: transitions.filter(({ from, to }) => from !== to),
      initial,
    },
    labels,
    rewards,
  };
}

/** The states of a label. Throws RMK_ERR_INPUT for a label that the chain does not have. */
export function labelled(labels: PrismChain['labels'], label: string): ReadonlySet<string> {
  const states = labels.get(label);
  if (states === undefined) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `there is no label "${label}"${suggestion(label, [...labels.keys()])}`,
    );
  }
  return states;
}

interface Line {
  readonly text: string;
  readonly number: number;
}

function linesOf(text: string): readonly Line[] {
  return text
    .split(/\r?\n/)
    .map((line, index) => ({ text: line.trim(), number: index + 1 }))
    .filter(({ text: line }) => line !== '' && !line.startsWith('#'));
}

function numbers(line: Line | undefined, path: string): readonly number[] {
  if (line === undefined) throw new ModelError('RMK_ERR_INPUT', `${path} is empty`);
  const values = line.text.split(/\s+/).map(Number);
  if (values.some((value) => !Number.isFinite(value)))
    throw malformed(path, line, 'it is not a line of numbers');
  return values;
}

function malformed(path: string, { text, number }: Line, why: string): ModelError {
  return new ModelError('RMK_ERR_INPUT', `${path}, line ${number}: "${text}": ${why}`);
}

/** The mean of these rewards under a distribution of states. */
export function meanReward(chain: MarkovChain, probabilities: Float64Array, rewards: Float64Array): number {
  return chain.states.reduce(
    (sum, { name }, state) => sum + (probabilities[state] as number) * (rewards[Number(name)] as number),
    0,
  );
}

/**
 * The chain as a model in PRISM's language, with its parameters as constants, a label `up` for the states of reward 1,
 * and the rewards. A comment says what each state and transition is.
 */
export function toPrism(
  { name, states, transitions, initial }: ChainDefinition,
  values: ParameterValues,
): string {
  const index = new Map(states.map((state, i) => [state.name, i]));
  const names = [...new Set(transitions.flatMap(({ rate }) => parametersOf(rate)))];
  const up = states.flatMap(({ reward }, i) => (reward === 1 ? [`s=${i}`] : []));
  return [
    `// ${name}`,
    'ctmc',
    '',
    ...names.map(
      (each) =>
        `const double ${identifier(each)} = ${values[each] ?? 0}; // ${each}, per hour or a probability`,
    ),
    '',
    'module chain',
    ...states.map((state, i) => `  // s=${i}: ${state.name}`),
    `  s : [0..${states.length - 1}] init ${index.get(initial) ?? 0};`,
    '',
    ...transitions.map(
      ({ from, to, rate, label }) =>
        `  [] s=${index.get(from) ?? 0} -> ${prismRate(rate)} : (s'=${index.get(to) ?? 0}); // ${label}: ${formatRate(rate)}`,
    ),
    'endmodule',
    '',
    `label "up" = ${up.length === 0 ? 'false' : up.join(' | ')};`,
    '',
    'rewards "availability"',
    ...states.flatMap(({ reward }, i) => (reward === 0 ? [] : [`  s=${i} : ${reward};`])),
    'endrewards',
    '',
  ].join('\n');
}

function prismRate(rate: Rate): string {
  if (rate.kind === 'parameter') return identifier(rate.name);
  if (rate.kind === 'number') return String(rate.value);
  if (rate.kind === 'complement') return `(1-${prismRate(rate.of)})`;
  if (rate.kind === 'sum') return `(${rate.terms.map(prismRate).join('+')})`;
  return rate.factors.map(prismRate).join('*');
}

const SPELLED: Readonly<Record<string, string>> = { λ: 'lambda_', μ: 'mu_', "'": '_prime_', '|': '_given_' };

/** A name that PRISM accepts. */
function identifier(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, (letter) => SPELLED[letter] ?? '_');
}
