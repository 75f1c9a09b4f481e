import { formatTable, type Table } from '../../model/table.js';
import { cheapest, costOf, FAULT_COST } from './algorithms.js';
import {
  faultReduction,
  find,
  type EmbeddedBenchmarkResult,
  type EngineFigures,
} from './embeddedBenchmark.js';
import { meanWithError, type Estimate, type Spread } from './figures.js';
import { PAPER } from './paper.js';

/** A heading, a table and what is to be known of it: on the terminal and on the page alike. */
export interface Exhibit {
  readonly heading: string;
  readonly table: Table;
  readonly notes: readonly string[];
}

const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;
const whole = (number: number): string => number.toFixed(0);
const one = (number: number): string => number.toFixed(1);
const ratio = ({ median, low, high }: Spread): string =>
  `${median.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;

const interval = ({ low, high }: Estimate): string => `${percent(low, 2)} to ${percent(high, 2)}`;
/** What an interval says of a slowdown. */
const verdict = ({ low, high }: Estimate): string => (low <= 0 && high >= 0 ? 'includes 0' : '');

/** The number of the paper for an algorithm and interval, where it gives one. */
function paper(
  numbers: Readonly<Record<string, Readonly<Record<string, number>>>>,
  algorithm: string,
  intervalMs: number,
): string {
  return String(numbers[algorithm]?.[intervalMs] ?? '');
}

export function setting(result: EmbeddedBenchmarkResult): readonly string[] {
  const { extent, clock, node, engines, qemuMips } = result;
  return [
    `Node ${node}; host times: ${clock}. A pair: the same stretch of guest work on the same VM without, with, with and without ` +
      `protection, ${extent.pairs} times at the shortest interval. The check of each store is part of both.`,
    ...engines.map(
      ({ engine, frequencyHz, mips, hostMsOf50 }) =>
        `${engine}: nominally ${frequencyHz / 1e6} MHz, ${whole(mips)} MIPS, so 50 ms of the guest take ${one(hostMsOf50)} ms of the host.`,
    ),
    ...(qemuMips === undefined ? [] : [`qemu-system-riscv32: ${whole(qemuMips)} MIPS, its start included.`]),
  ];
}

export function exhibits(figures: EngineFigures): readonly Exhibit[] {
  return [
    programsTable(figures),
    figure8(figures),
    averages(figures),
    figure9(figures),
    tables34(figures),
    distribution(figures),
    costs(figures),
    recovery(figures),
    peers(figures),
    algorithms(figures),
  ];
}

function programsTable({ programs }: EngineFigures): Exhibit {
  const written = ({ protections }: EngineFigures['programs'][number]): number =>
    protections.find(({ protection }) => protection === 'cowb')?.epochs?.pagesWritten ?? 0;
  return {
    heading: 'Programs',
    table: {
      columns: ['program', 'MIPS', 'state, pages', 'written', 'overlap'],
      rows: programs.map((program) => [
        program.program,
        whole(program.mips),
        String(program.statePages),
        one(written(program)),
        percent(program.overlap),
      ]),
    },
    notes: [
      'written: pages in an epoch of the shortest interval; overlap: those of them that were written in the epoch before too.',
    ],
  };
}

function figure8({ programs }: EngineFigures): Exhibit {
  const [first] = programs;
  const shown = (first?.protections ?? []).filter(
    ({ epochs, ratios }) => epochs !== undefined && ratios.length > 0,
  );
  return {
    heading: 'Figure 8: normalised execution time',
    table: {
      columns: ['program', ...shown.map(({ protection, intervalMs }) => `${protection} ${intervalMs} ms`)],
      rows: programs.map((program) => [
        program.program,
        ...shown.map(({ protection, intervalMs }) => {
          const figures = find(program, protection, intervalMs);
          return figures === undefined ? '' : ratio(figures.normalised);
        }),
      ]),
    },
    notes: [
      `Median (quartiles). The paper: at most 1.11 with COWP at 50 ms, on average 1.063; 1.038 at 200 ms.`,
    ],
  };
}

function averages({ averages: all, noise, storeCheck, peerIntervalMs }: EngineFigures): Exhibit {
  return {
    heading: 'Slowdown, mean over the programs',
    table: {
      columns: ['interval', 'algorithm', 'slowdown', '95 %', '', 'pairs', 'pauses alone', 'paper'],
      rows: [
        [`${peerIntervalMs} ms`, 'none', percent(noise.mean, 2), interval(noise), verdict(noise), '', '', ''],
        ...all.flatMap(({ intervalMs, algorithm, slowdown, pairs, pauseShare }) =>
          slowdown === undefined
            ? []
            : [
                [
                  `${intervalMs} ms`,
                  algorithm,
                  percent(slowdown.mean, 2),
                  interval(slowdown),
                  verdict(slowdown),
                  String(pairs),
                  percent(pauseShare, 2),
                  algorithm === 'cowp' ? paper({ cowp: PAPER.slowdownPercent }, 'cowp', intervalMs) : '',
                ],
              ],
        ),
      ],
    },
    notes: [
      'none: no protection, measured as the others are: what is left is noise. The mean is that of the medians of the programs, its interval from how the pairs vary.',
      'Pauses alone: measured within each pause; page faults are not in it.',
      storeCheck === undefined
        ? 'What the check of each store takes is not measured: this engine has no mode without it.'
        : `The check of each store, by itself: ${percent(storeCheck.mean, 2)} (${interval(storeCheck)}), against the same VM without it; part of both sides above.`,
    ],
  };
}

function figure9({ server, averages: all }: EngineFigures): Exhibit {
  return {
    heading: 'Figure 9: throughput of the request server',
    table: {
      columns: ['interval', 'algorithm', 'of the baseline', 'requests/s', 'paper, %'],
      rows: all.flatMap(({ intervalMs, algorithm, throughput }) =>
        throughput === undefined
          ? []
          : [
              [
                `${intervalMs} ms`,
                algorithm,
                ratio(throughput),
                whole(throughput.median * server.linesPerSecond),
                paper(PAPER.throughputPercent, algorithm, intervalMs),
              ],
            ],
      ),
    },
    notes: [`Without checkpoints: ${whole(server.linesPerSecond)} requests in a second of host time.`],
  };
}

function tables34(figures: EngineFigures): Exhibit {
  const reductions = [...new Set(figures.averages.map(({ intervalMs }) => intervalMs))].map(
    (intervalMs) => `${percent(faultReduction(figures, intervalMs))} at ${intervalMs} ms`,
  );
  return {
    heading: 'Tables 3 and 4: page faults and pages in a checkpoint, mean over the programs',
    table: {
      columns: [
        'interval',
        'algorithm',
        'faults',
        'paper',
        'pages',
        'largest',
        'of the state',
        'paper',
        'in vain',
      ],
      rows: figures.averages.map((average) => {
        const { intervalMs, algorithm } = average;
        return [
          `${intervalMs} ms`,
          algorithm,
          one(average.pageFaults),
          paper(PAPER.pageFaults, algorithm, intervalMs),
          one(average.pagesSaved),
          String(average.mostSaved),
          percent(average.shareOfState),
          paper(PAPER.pagesSaved, algorithm, intervalMs),
          one(average.preSavedInVain),
        ];
      }),
    },
    notes: [
      `COWP cuts page faults by ${reductions.join(', ')} (mean over the programs); the paper by 75 % at 50 ms and 51 % at 1000 ms.`,
      'These counts are exact: the same in every run.',
    ],
  };
}

function distribution({ programs }: EngineFigures): Exhibit {
  return {
    heading: 'Pages in a checkpoint, by program',
    table: {
      columns: [
        'program',
        'interval',
        'algorithm',
        'epochs',
        'mean',
        'least',
        '25 %',
        'median',
        '75 %',
        'most',
      ],
      rows: programs.flatMap(({ program, protections }) =>
        protections.flatMap(({ protection, intervalMs, epochs }) =>
          epochs === undefined
            ? []
            : [
                [
                  program,
                  `${intervalMs} ms`,
                  protection,
                  String(epochs.epochs),
                  one(epochs.pagesSaved),
                  ...epochs.savedQuartiles.map(String),
                ],
              ],
        ),
      ),
    },
    notes: [],
  };
}

function costs({ costs: { checkpointUs, pageUs, faultUs, projectedSlowdown } }: EngineFigures): Exhibit {
  return {
    heading: 'Costs of the parts, in µs of host time',
    table: {
      columns: ['part', 'µs'],
      rows: [
        ['a checkpoint that saves no page ahead', one(checkpointUs)],
        ['a page saved ahead, checksum included', pageUs.toFixed(2)],
        [
          'a page fault',
          `${faultUs.median.toFixed(2)} (${faultUs.low.toFixed(2)} to ${faultUs.high.toFixed(2)})`,
        ],
      ],
    },
    notes: [
      `At these costs the paper's checkpoint of 491 pages each 50 ms slows a program down by ${percent(projectedSlowdown.cowb)} with COWB and ` +
        `${percent(projectedSlowdown.cowp)} with COWP (125 faults, 530 pages ahead).`,
    ],
  };
}

function recovery({ recovery: all }: EngineFigures): Exhibit {
  const times = all.map(({ ms }) => ms);
  const { mean, error } = meanWithError(times);
  const { least, mean: theirs, most } = PAPER.recoveryMs;
  return {
    heading: 'Recovery time (§8.4)',
    table: {
      columns: ['program', 'epochs undone', 'pages', 'ms'],
      rows: all.map(({ program, age, pagesRestored, ms }) => [
        program,
        String(age + 1),
        String(pagesRestored),
        ms.toFixed(2),
      ]),
    },
    notes: [
      `${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)} ms, mean ${mean.toFixed(2)} ± ${error.toFixed(2)} ms (95 %). ` +
        `The paper: ${least} to ${most} ms, mean ${theirs} ms.`,
    ],
  };
}

function peers({ peers: all, averages: own, peerIntervalMs }: EngineFigures): Exhibit {
  const rowOf = (name: string, slowdown: Estimate): readonly string[] => [
    name,
    percent(slowdown.mean, 2),
    interval(slowdown),
    verdict(slowdown),
  ];
  return {
    heading: `Peers at ${peerIntervalMs} ms, slowdown, mean over the programs`,
    table: {
      columns: ['what', 'slowdown', '95 %', ''],
      rows: [
        ...own.flatMap(({ intervalMs, algorithm, slowdown }) =>
          intervalMs === peerIntervalMs && slowdown !== undefined ? [rowOf(algorithm, slowdown)] : [],
        ),
        ...Object.entries(all).map(([name, slowdown]) => rowOf(name, slowdown)),
      ],
    },
    notes: [
      'full copy: all 32 MiB; stop and copy: the pages written, as Remus does. Remus reports about 50 %.',
    ],
  };
}

function algorithms({ algorithms: all }: EngineFigures): Exhibit {
  const winners = all.flatMap(({ intervalMs, foresights }) =>
    foresights.length === 0 ? [] : [`${cheapest(foresights).algorithm} at ${intervalMs} ms`],
  );
  return {
    heading: 'Algorithms: page faults saved against pages saved in vain, mean over the programs',
    table: {
      columns: ['interval', 'algorithm', 'faults', 'faults saved', 'in vain', 'cost'],
      rows: all.flatMap(({ intervalMs, foresights }) =>
        foresights.map((foresight) => [
          `${intervalMs} ms`,
          foresight.algorithm,
          one(foresight.pageFaults),
          one(foresight.faultsSaved),
          one(foresight.preSavedInVain),
          one(costOf(foresight)),
        ]),
      ),
    },
    notes: [
      'Worked out from the pages that the guests wrote, which depend on no algorithm: exact.',
      `Cost: ${FAULT_COST} times the faults, and the pages in vain. The algorithm that costs least wins: ${winners.join(', ')}.`,
    ],
  };
}

export function embeddedText(result: EmbeddedBenchmarkResult): string {
  const parts = result.engines.flatMap((figures) => [
    `\n${figures.engine}\n`,
    ...exhibits(figures).map(
      ({ heading, table, notes }) =>
        `${heading}\n${formatTable(table)}\n${notes.map((note) => `${note}\n`).join('')}`,
    ),
  ]);
  return [...setting(result), ...parts].join('\n');
}
