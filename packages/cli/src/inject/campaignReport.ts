import {
  isEffective,
  latencySamples,
  OUTCOMES,
  summarise,
  type ExperimentRecord,
  type Fate,
} from '@rmk/campaign';
import {
  fitRate,
  kaplanMeier,
  parseLatencySamples,
  proportion,
  significant,
  type Estimate,
  type LatencySample,
} from '@rmk/model';
import { COLOURS, lineFigure } from '../model/figure.js';
import { heatFigure } from '../model/heatFigure.js';
import { reportPage, type Section } from '../model/page.js';
import { faultsOf } from './injectReport.js';

const FATES: readonly Fate[] = ['right', 'wrong-result', 'failed', 'hang'];
/** A curve needs some steps to be one. */
const FEWEST_DETECTED = 5;

/** The report of `rmk inject`: one page that needs nothing from anywhere. */
export function campaignReport(name: string, records: readonly ExperimentRecord[], planned: number): string {
  return reportPage(`Fault injection: ${name}`, [
    { kind: 'text', paragraphs: setting(records, planned) },
    outcomeTable(records),
    rateTable(records),
    twinTable(records),
    ...registerSections(records),
    ...latencySections(records),
    ...recoverySections(records),
  ]);
}

function setting(records: readonly ExperimentRecord[], planned: number): readonly string[] {
  const { detected, effective, control } = summarise(records);
  const kinds = faultsOf(records).join(', ');
  return [
    `${records.length} of ${planned} experiments, with the faults ${kinds}. ${effective} faults were effective: without recovery the guest would have ended wrong or not at all. ${detected} of these were detected.`,
    `${control.agrees + control.disagrees} experiments ran to their end as a control, ${control.disagrees} of them disagreed with what had been proved.`,
    'Intervals hold 95 %: Wilson’s for shares, Greenwood’s for survival.',
  ];
}

function outcomeTable(records: readonly ExperimentRecord[]): Section {
  const groups = groupsOf(records);
  const rows = OUTCOMES.filter((outcome) => records.some((record) => record.outcome === outcome)).map(
    (outcome) => [
      outcome,
      ...groups.map(([, group]) => {
        const count = group.filter((record) => record.outcome === outcome).length;
        return `${count}, ${shareText(proportion(count, group.length))}`;
      }),
    ],
  );
  return {
    kind: 'table',
    heading: 'Outcomes',
    columns: ['outcome', ...groups.map(([fault, group]) => `${fault} (${group.length})`)],
    rows,
  };
}

function rateTable(records: readonly ExperimentRecord[]): Section {
  const text = (rate: Estimate | undefined): string => (rate === undefined ? '-' : shareText(rate));
  return {
    kind: 'table',
    heading: 'Recovered',
    columns: ['fault', 'effective', 'detected', 'recovered of detected', 'recovered of effective'],
    rows: groupsOf(records).map(([fault, group]) => {
      const { effective, detected, recoveredOfDetected, recoveredOfEffective } = summarise(group);
      return [
        fault,
        String(effective),
        String(detected),
        text(recoveredOfDetected),
        text(recoveredOfEffective),
      ];
    }),
  };
}

function twinTable(records: readonly ExperimentRecord[]): Section {
  const { twins, outcomes } = summarise(records);
  const shown = OUTCOMES.filter((outcome) => outcomes[outcome] > 0);
  return {
    kind: 'table',
    heading: 'With recovery and without',
    columns: ['end without recovery', ...shown],
    rows: FATES.filter((fate) => Object.keys(twins[fate]).length > 0).map((fate) => [
      fate,
      ...shown.map((outcome) => String(twins[fate][outcome] ?? 0)),
    ]),
    caption:
      'Each experiment runs twice. A row is how it ends with detection alone, a column with recovery too.',
  };
}

interface RegisterBit {
  readonly register: string;
  readonly bit: number;
  readonly record: ExperimentRecord;
}

function registerBits(records: readonly ExperimentRecord[]): readonly RegisterBit[] {
  return records.flatMap((record) => {
    const { register, bit } = record.place;
    return typeof register === 'string' && typeof bit === 'number' ? [{ register, bit, record }] : [];
  });
}

function registerSections(records: readonly ExperimentRecord[]): readonly Section[] {
  const bits = registerBits(records);
  if (bits.length === 0) return [];
  const registers = [...new Set(bits.map(({ register }) => register))].toSorted((one, other) =>
    one.localeCompare(other, 'en', { numeric: true }),
  );
  const cells = [...grouped(bits, ({ register, bit }) => `${register} ${bit}`).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const effective = group.filter(({ record }) => isEffective(record)).length;
    const { register, bit } = first;
    const title = `bit ${bit} of ${register}: ${effective} of ${group.length} effective`;
    return [{ row: register, column: bit, share: effective / group.length, title }];
  });
  return [
    {
      kind: 'figure',
      heading: 'By register and bit',
      caption:
        'The share of the faults in each bit after which the guest ends wrong or not at all without recovery. White: no fault was injected there.',
      svg: heatFigure({
        across: 'bit',
        columns: Array.from({ length: 32 }, (_, bit) => bit),
        rows: registers,
        cells,
        legend: 'share of effective faults',
      }),
    },
    {
      kind: 'table',
      heading: 'By register',
      columns: ['register', 'injected', 'effective', 'detected', 'recovered', 'silent data corruption'],
      rows: registers.map((register) => {
        const group = bits.filter((each) => each.register === register).map(({ record }) => record);
        const { injected, effective, detected, outcomes } = summarise(group);
        return [
          register,
          String(injected),
          `${effective}, ${shareText(proportion(effective, injected))}`,
          String(detected),
          String(outcomes.recovered),
          String(outcomes['silent-data-corruption']),
        ];
      }),
    },
  ];
}

function latencySections(records: readonly ExperimentRecord[]): readonly Section[] {
  const { samples } = parseLatencySamples(latencySamples(records));
  const steps = kaplanMeier(samples).filter(({ latencyMs, survival }) => latencyMs > 0 && survival > 0);
  if (steps.length < FEWEST_DETECTED) return [];
  const rate = fitRate(samples);
  const latencies = steps.map(({ latencyMs }) => latencyMs);
  const [first = 1, last = 1] = [latencies[0], latencies.at(-1)];
  const lowest = Math.min(...steps.map(({ low, survival }) => Math.max(low, survival / 10)));
  return [
    {
      kind: 'figure',
      heading: 'Error latency',
      caption:
        `Share of the effective faults that are not detected yet. Kaplan and Meier’s estimate, with faults that were ` +
        `never detected as censored. The exponential has λ = ${significant(rate.value)} per ms ` +
        `(${significant(rate.low)} to ${significant(rate.high)}), by maximum likelihood.`,
      svg: lineFigure({
        x: { label: 'time since the injection, ms', logarithmic: true },
        y: { label: 'share not detected', logarithmic: true },
        series: [
          { name: 'measured', colour: COLOURS.blue, points: staircase(steps) },
          {
            name: 'exponential',
            colour: COLOURS.orange,
            dashed: true,
            points: logSpaced(first, last)
              .map((x) => ({ x, y: Math.exp(-rate.value * x) }))
              .filter(({ y }) => y >= lowest / 2),
          },
        ],
      }),
    },
    { kind: 'table', heading: 'Latency', ...latencyTable(samples) },
  ];
}

function latencyTable(samples: readonly LatencySample[]): {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const steps = kaplanMeier(samples);
  const quantile = (share: number): string => {
    const step = steps.find(({ survival }) => survival <= 1 - share);
    return step === undefined ? 'not reached' : `${significant(step.latencyMs)} ms`;
  };
  return {
    columns: ['share detected', 'within'],
    rows: [0.5, 0.9, 0.95].map((share) => [`${100 * share} %`, quantile(share)]),
  };
}

type Step = ReturnType<typeof kaplanMeier>[number];

/** A staircase with its intervals. */
function staircase(steps: readonly Step[]) {
  let before: Step | undefined;
  return steps.flatMap((step) => {
    const corner = before === undefined ? [] : [pointOf(before, step.latencyMs)];
    before = step;
    return [...corner, pointOf(step, step.latencyMs)];
  });
}

function pointOf({ survival, low, high }: Step, x: number) {
  return { x, y: survival, low: Math.max(low, survival / 10), high };
}

function logSpaced(from: number, to: number): readonly number[] {
  const count = 60;
  return Array.from({ length: count }, (_, index) => from * (to / from) ** (index / (count - 1)));
}

function recoverySections(records: readonly ExperimentRecord[]): readonly Section[] {
  const recoveries = records.flatMap(({ recoveries: all, host }) =>
    all.map((recovery, index) => ({ ...recovery, us: (host.recoveryNs[index] ?? 0) / 1e3 })),
  );
  const times = recoveries.map(({ us }) => us).filter((us) => us > 0);
  if (times.length < FEWEST_DETECTED) return [];
  const sorted = times.toSorted((one, other) => one - other);
  const { mean, halfWidth } = meanOf(times);
  return [
    {
      kind: 'figure',
      heading: 'Recovery time',
      caption: `Host time of ${times.length} recoveries. Mean ${significant(mean)} ± ${significant(halfWidth)} µs. The only figures of this page that another run does not repeat.`,
      svg: lineFigure({
        x: { label: 'recovery time, µs', logarithmic: true },
        y: { label: 'share of the recoveries' },
        series: [
          {
            name: 'recoveries',
            colour: COLOURS.green,
            points: sorted.map((x, index) => ({ x, y: (index + 1) / sorted.length })),
          },
        ],
      }),
    },
    {
      kind: 'table',
      heading: 'Recoveries by rung',
      columns: ['rung', 'recoveries', 'mean time, µs', 'pages restored, mean', 'work lost, mean, ms'],
      rows: [...grouped(recoveries, ({ rung }) => rung)].map(([rung, group]) => [
        rung,
        String(group.length),
        significantMean(group.map(({ us }) => us)),
        significantMean(group.map(({ pagesRestored }) => pagesRestored)),
        significantMean(
          group.flatMap(({ workLostNs }) => (workLostNs === undefined ? [] : [workLostNs / 1e6])),
        ),
      ]),
    },
  ];
}

function grouped<T>(values: readonly T[], keyOf: (value: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}

function significantMean(values: readonly number[]): string {
  return values.length === 0 ? '-' : significant(meanOf(values).mean);
}

function meanOf(values: readonly number[]): { readonly mean: number; readonly halfWidth: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1));
  return { mean, halfWidth: (1.96 * deviation) / Math.sqrt(values.length) };
}

function groupsOf(
  records: readonly ExperimentRecord[],
): readonly (readonly [string, readonly ExperimentRecord[]])[] {
  const faults = faultsOf(records);
  const each = faults.map((fault) => [fault, records.filter((record) => record.fault === fault)] as const);
  return faults.length > 1 ? [...each, ['all', records] as const] : each;
}

function shareText({ value, low, high }: Estimate): string {
  const tenths = (share: number): string => (100 * share).toFixed(1);
  return `${tenths(value)} % (${tenths(low)} to ${tenths(high)})`;
}
