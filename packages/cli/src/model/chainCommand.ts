import {
  buildChain,
  intervalAvailability,
  labelled,
  longRun,
  type MarkovChain,
  meanReward,
  meanTimeTo,
  measure,
  parseChain,
  parsePrism,
  type PrismChain,
  reliability,
  significant,
  statesNamed,
  steadyState,
  toPrism,
  transient,
  unavailabilityOf,
} from '@rmk/model';
import { hasCode, RmkError } from '@rmk/core';
import type { Command } from 'commander';
import { ExitCode } from '../exitCode.js';
import type { Terminal } from '../terminal.js';
import { readJson, readText, writeText } from './files.js';
import { timesOption } from './optionValues.js';
import { formatTable, percent } from './table.js';

interface Options {
  readonly labels?: string;
  readonly rewards?: string;
  readonly up?: string;
  readonly failed?: string;
  readonly at?: readonly number[];
  readonly prism?: string;
  readonly json?: true;
}

/** More states than these are left out of the output. */
const MOST_LISTED = 50;

/** Adds `chain` to the command of the models. */
export function addChainCommand(parent: Command, terminal: Terminal, done: (code: ExitCode) => void): void {
  parent
    .command('chain')
    .description('solve a Markov chain of your own, from JSON or from explicit files of PRISM')
    .argument('<file>', 'the chain: JSON, or a .tra file of PRISM')
    .option('--labels <file>', 'the .lab file that belongs to a .tra file')
    .option('--rewards <file>', 'the .srew file that belongs to a .tra file: its mean is reported too')
    .option('--up <label>', 'label of the states in which the service is up')
    .option('--failed <states>', 'states or a label that count as the failure (default: all with reward 0)')
    .option('--at <times>', 'also what holds at these times from the start: 0.1,1,10', timesOption)
    .option('--prism <file>', "write the chain in PRISM's language")
    .option('--json', 'for machines')
    .action((file: string, options: Options) => {
      run(file, options, terminal);
      done(ExitCode.DONE);
    });
}

function run(file: string, options: Options, terminal: Terminal): void {
  const prism = file.endsWith('.tra') ? readPrism(file, options) : undefined;
  const { definition, values } =
    prism === undefined ? parseChain(readJson(file), file) : { definition: prism.definition, values: {} };
  const chain = buildChain(definition, values, { dropUnreachable: true, absorbing: true });
  const failed = failedStates(chain, options, prism);
  if (options.prism !== undefined) {
    writeText(options.prism, toPrism(definition, values));
    terminal.err(`wrote ${options.prism}\n`);
  }
  const report = study(chain, failed, options.at ?? [], prism?.rewards);
  if (options.json === true) terminal.out(`${JSON.stringify(report, undefined, 2)}\n`);
  else terminal.out(describe(report));
}

function readPrism(file: string, { labels, rewards, up }: Options): PrismChain {
  return parsePrism(
    {
      transitions: readText(file),
      ...(labels === undefined ? {} : { labels: readText(labels) }),
      ...(rewards === undefined ? {} : { rewards: readText(rewards) }),
    },
    file,
    up,
  );
}

type StateTest = (state: { readonly name: string; readonly reward: number }) => boolean;

function failedStates(chain: MarkovChain, { failed, up }: Options, prism: PrismChain | undefined): StateTest {
  if (prism === undefined && up !== undefined) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      '--up is for .tra files. In JSON the rewards say which states are up.',
    );
  }
  if (failed === undefined) return ({ reward }) => reward === 0;
  if (prism?.labels.has(failed) === true) {
    const states = labelled(prism.labels, failed);
    return ({ name }) => states.has(name);
  }
  return statesNamed(
    chain,
    failed.split(',').map((name) => name.trim()),
  );
}

interface ChainReport {
  readonly name: string;
  readonly states: number;
  readonly transitions: number;
  /** In the long run, whatever the chain ends in. */
  readonly availability: number;
  readonly unavailability: number;
  readonly meanReward?: number;
  readonly meanTimeToFailure?: number;
  readonly meanTimeToAbsorption?: number;
  readonly classes?: readonly { readonly states: readonly string[]; readonly probability: number }[];
  readonly probabilities?: Readonly<Record<string, number>>;
  readonly at: readonly {
    readonly time: number;
    readonly availability: number;
    readonly intervalAvailability?: number;
    readonly reliability: number;
  }[];
}

function study(
  chain: MarkovChain,
  failed: StateTest,
  times: readonly number[],
  rewards: Float64Array | undefined,
): ChainReport {
  const end = chain.recurrent ? undefined : longRun(chain);
  const probabilities = end?.probabilities ?? steadyState(chain);
  const limit = chain.recurrent ? { steadyState: probabilities } : {};
  const unavailability = chain.recurrent
    ? measure(chain, probabilities).unavailability
    : unavailabilityOf(chain, probabilities);
  const fails =
    chain.states.some((state) => failed(state)) &&
    !failed(chain.states[chain.initial] ?? { name: '', reward: 1 });
  return {
    name: chain.name,
    states: chain.states.length,
    transitions: chain.arcs.length,
    availability: 1 - unavailability,
    unavailability,
    ...(rewards === undefined ? {} : { meanReward: meanReward(chain, probabilities, rewards) }),
    ...(fails ? failureTime(chain, failed) : {}),
    ...(end === undefined
      ? {}
      : { meanTimeToAbsorption: end.meanTimeToAbsorptionHours, classes: end.classes.slice(0, MOST_LISTED) }),
    ...(chain.states.length > MOST_LISTED
      ? {}
      : {
          probabilities: Object.fromEntries(chain.states.map(({ name }, i) => [name, probabilities[i] ?? 0])),
        }),
    at: times.map((time) => ({
      time,
      availability: 1 - unavailabilityOf(chain, transient(chain, time, limit)),
      ...(time === 0 ? {} : { intervalAvailability: intervalAvailability(chain, time, limit) }),
      reliability: reliability(chain, time, failed),
    })),
  };
}

/** Nothing if the chain may never fail, so that the mean time to its failure is infinite. */
function failureTime(chain: MarkovChain, failed: StateTest): { readonly meanTimeToFailure?: number } {
  try {
    return { meanTimeToFailure: meanTimeTo(chain, failed) };
  } catch (error) {
    if (hasCode(error, 'RMK_ERR_CHAIN')) return {};
    throw error;
  }
}

function describe(report: ChainReport): string {
  const { name, states, transitions, availability, meanTimeToFailure, meanTimeToAbsorption, classes, at } =
    report;
  const lines = [
    `chain         ${name}: ${states} states, ${transitions} transitions`,
    `availability  ${percent(availability)} in the long run`,
  ];
  if (report.meanReward !== undefined) lines.push(`mean reward   ${significant(report.meanReward, 12)}`);
  if (meanTimeToFailure !== undefined) lines.push(`MTTF          ${significant(meanTimeToFailure, 12)}`);
  if (meanTimeToAbsorption !== undefined)
    lines.push(`absorbed      after ${significant(meanTimeToAbsorption, 12)} on average`);
  for (const { states: ends, probability } of classes ?? []) {
    const shown =
      ends.length > 5 ? `${ends.slice(0, 5).join(', ')} and ${ends.length - 5} more` : ends.join(', ');
    lines.push(`ends in       ${shown}: ${percent(probability)}`);
  }
  if (at.length > 0) {
    lines.push(
      '',
      formatTable({
        columns: ['time', 'availability then', 'availability until then', 'reliability R(t)'],
        rows: at.map((each) => [
          String(each.time),
          percent(each.availability, 6),
          each.intervalAvailability === undefined ? '–' : percent(each.intervalAvailability, 6),
          percent(each.reliability, 6),
        ]),
      }),
    );
  }
  if (report.probabilities !== undefined) {
    lines.push(
      '',
      formatTable({
        columns: ['state', 'in the long run'],
        rows: Object.entries(report.probabilities).map(([state, p]) => [state, percent(p, 6)]),
      }),
    );
  }
  return `${lines.join('\n')}\n`;
}
