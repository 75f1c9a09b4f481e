import { formatTable, type Table } from '../../model/table.js';
import {
  faultReduction,
  find,
  type EmbeddedBenchmarkResult,
  type EngineFigures,
} from './embeddedBenchmark.js';
import { meanWithError, type Spread } from './figures.js';
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
    `Node ${node}; host times: ${clock}; ${extent.rounds} rounds of ${extent.chunks} stretches of ${extent.chunkMs} ms of guest time, ` +
      'each beside the same stretch of the same guest without checkpoints. The check of each store is part of both.',
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
  const shown = (first?.protections ?? []).filter(({ epochs }) => epochs !== undefined);
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

function averages(figures: EngineFigures): Exhibit {
  return {
    heading: 'Slowdown, mean over the programs',
    table: {
      columns: ['interval', 'algorithm', 'slowdown', '95 %', 'pauses alone', 'paper'],
      rows: figures.averages.map(({ intervalMs, algorithm, slowdown: { mean, error }, pauseShare }) => [
        `${intervalMs} ms`,
        algorithm,
        percent(mean, 2),
        `± ${percent(error, 2)}`,
        percent(pauseShare, 2),
        algorithm === 'cowp' ? paper({ cowp: PAPER.slowdownPercent }, 'cowp', intervalMs) : '',
      ]),
    },
    notes: [
      'Pauses alone: measured within each pause, so no difference between two guests blurs it; page faults are not in it.',
    ],
  };
}

function figure9({ server, averages: all }: EngineFigures): Exhibit {
  return {
    heading: 'Figure 9: throughput of the request server',
    table: {
      columns: ['interval', 'algorithm', 'of the baseline', 'requests/s', 'paper, %'],
      rows: all.map(({ intervalMs, algorithm, throughput }) => [
        `${intervalMs} ms`,
        algorithm,
        ratio(throughput),
        whole(throughput.median * server.linesPerSecond),
        paper(PAPER.throughputPercent, algorithm, intervalMs),
      ]),
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

function peers({ peers: all, averages: own }: EngineFigures): Exhibit {
  return {
    heading: 'Peers at 50 ms, slowdown, mean over the programs',
    table: {
      columns: ['what', 'slowdown', '95 %'],
      rows: [
        ...own
          .filter(({ intervalMs }) => intervalMs === 50)
          .map(({ algorithm, slowdown: { mean, error } }) => [
            algorithm,
            percent(mean),
            `± ${percent(error)}`,
          ]),
        ...Object.entries(all).map(([name, { mean, error }]) => [name, percent(mean), `± ${percent(error)}`]),
      ],
    },
    notes: [
      'full copy: all 32 MiB; stop and copy: the pages written, as Remus does. Remus reports about 50 %.',
    ],
  };
}

function algorithms({ algorithms: all }: EngineFigures): Exhibit {
  return {
    heading: 'Algorithms: page faults saved against pages saved in vain, mean over the programs',
    table: {
      columns: ['interval', 'algorithm', 'faults', 'faults saved', 'in vain'],
      rows: all.flatMap(({ intervalMs, foresights }) =>
        foresights.map(({ algorithm, pageFaults, faultsSaved, preSavedInVain }) => [
          `${intervalMs} ms`,
          algorithm,
          one(pageFaults),
          one(faultsSaved),
          one(preSavedInVain),
        ]),
      ),
    },
    notes: ['Worked out from the pages that the guests wrote, which depend on no algorithm.'],
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
