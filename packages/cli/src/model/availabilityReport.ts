import {
  labelNumber,
  NUMBER_NAMES,
  type Estimate,
  evaluate,
  formatRate,
  MICRO_CHECKPOINT,
  type NumberName,
  runSweep,
  type Setting,
  significant,
  spread,
  type Sweep,
  type SweepResult,
  type Tornado,
  valuesOf,
  type Variant,
  type VariantResult,
} from '@rmk/model';
import { parameterTable, resultTable } from './availabilityTables.js';
import type { Sources } from './setting.js';
import { COLOURS, lineFigure, tornadoFigure } from './figure.js';
import { reportPage, type Section } from './page.js';

const COLOUR_OF: Readonly<Record<Variant, string>> = {
  none: COLOURS.grey,
  single: COLOURS.orange,
  dual: COLOURS.blue,
  rule: COLOURS.black,
  k: COLOURS.sky,
  replica: COLOURS.green,
  disk: COLOURS.purple,
  vms: COLOURS.brown,
};

/** The names that stand at the lines. */
const SHORT: Readonly<Record<Variant, string>> = {
  none: 'no checkpoints',
  single: 'single',
  dual: 'dual',
  rule: 'rule',
  k: 'k retained',
  replica: 'remote replica',
  disk: 'dual + disk',
  vms: 'n VMs',
};

const COMPARED: readonly Variant[] = ['single', 'dual', 'replica'];

/** The figures of §5.1, each over a range in which its curves bend. */
const FIGURES: readonly { readonly sweep: Sweep; readonly heading: string; readonly caption: string }[] = [
  {
    sweep: { parameter: 'hypervisorMttfHours', values: spread(200, 50_000, 60, true) },
    heading: 'Availability against the hypervisor’s MTTF',
    caption: 'A remote replica survives the loss of the hypervisor; checkpoints on the same node do not.',
  },
  {
    sweep: { parameter: 'intervalMs', values: spread(5, 20_000, 70, true) },
    heading: 'Availability against the checkpoint interval T_ck',
    caption: 'Short intervals let more errors into the checkpoints; long ones leave more work to do again.',
  },
  {
    sweep: { parameter: 'latencyBoundMs', values: spread(2, 2000, 60, true) },
    heading: 'Availability against the latency bound T_B',
    caption: 'T_B is the latency that the stated percentile of errors does not exceed; T_ck is held.',
  },
];

/**
 * The report of `rmk model availability`: the figures of §5.1, the tornado, the user's own sweeps, and all parameters
 * and transitions.
 */
export function availabilityReport(input: {
  readonly setting: Setting;
  readonly sources: Sources;
  readonly results: readonly VariantResult[];
  readonly tornado: Tornado;
  readonly corruption: Estimate | undefined;
  readonly swept: readonly SweepResult[];
  readonly variants: readonly Variant[];
  readonly notes: readonly string[];
}): string {
  const { setting, sources, results, tornado, corruption, swept, variants, notes } = input;
  const { parameters } = setting;
  const latencySwept = setting.latency === undefined && parameters.classes === undefined;
  const figures = FIGURES.filter(({ sweep }) => latencySwept || sweep.parameter !== 'latencyBoundMs');
  const sections: Section[] = [
    {
      kind: 'text',
      paragraphs: [`Parameters: ${parameters.title}.`, `Latency: ${sources.latency}.`, ...notes],
    },
    {
      kind: 'table',
      heading: 'Results',
      ...resultTable(results),
      caption:
        'MTTF: mean time until the service is down for the first time, be it for a rollback of less than a second. n VMs: the mean share that is up, and the first failure of any.',
    },
    ...figures.map(({ sweep, heading, caption }) =>
      sweepSection(runSweep(sweep, setting, COMPARED), setting, heading, caption),
    ),
    ...swept.map((result) =>
      sweepSection(
        result,
        setting,
        `Availability against ${nameAndUnit(result.parameter).name}`,
        'Everything else is as in the table of parameters. The dashed line is the value there.',
      ),
    ),
    tornadoSection(tornado, corruption),
    {
      kind: 'table',
      heading: 'Parameters that enter these results, and where they come from',
      ...parameterTable(variants, setting, sources),
    },
    transitionTable(setting),
  ];
  return reportPage('Availability of a protected virtual machine', sections);
}

function sweepSection(
  { series, ...sweep }: SweepResult,
  setting: Setting,
  heading: string,
  caption: string,
): Section {
  const [first = 1, last = 1] = [sweep.values[0], sweep.values.at(-1)];
  const logarithmic = Math.min(first, last) > 0 && Math.max(first, last) / Math.min(first, last) >= 20;
  const held = setting.parameters[sweep.parameter];
  const { unit } = nameAndUnit(sweep.parameter);
  const inside = held >= Math.min(first, last) && held <= Math.max(first, last);
  return {
    kind: 'figure',
    heading,
    caption,
    svg: lineFigure({
      x: { label: labelOf(sweep.parameter), logarithmic, format: significant },
      // The logarithm of the unavailability, falling upwards, so that each nine more is as far as the one before.
      y: {
        label: 'availability (the logarithm of what is missing to 100 %)',
        logarithmic: true,
        reversed: true,
        format: (unavailability) => `${Number((100 * (1 - unavailability)).toPrecision(8))} %`,
      },
      series: series.map(({ variant, availability }) => ({
        name: SHORT[variant],
        colour: COLOUR_OF[variant],
        dashed: variant === 'replica',
        points: availability.map((a, index) => ({ x: sweep.values[index] ?? 0, y: 1 - a })),
      })),
      marks: inside ? [{ x: held, label: `${significant(held)} ${unit}`.trim() }] : [],
    }),
  };
}

function tornadoSection(tornado: Tornado, corruption: Estimate | undefined): Section {
  const pc =
    corruption === undefined
      ? 'No interval of pc is known (give --samples, or corruptionInterval in the parameters), so it is varied like the others.'
      : `pc goes over its ${100 * corruption.confidence} % interval, ${corruption.low.toPrecision(3)} to ${corruption.high.toPrecision(3)}.`;
  return {
    kind: 'figure',
    heading: `What the downtime depends on (${SHORT[tornado.variant]})`,
    caption: `Each input on its own: ${tornado.bars.find(({ input }) => !input.startsWith('pc'))?.range ?? ''}. ${pc} The line is the downtime with all inputs as given.`,
    svg: tornadoFigure({
      centre: tornado.downtimeMinutesPerYear,
      label: 'downtime, minutes a year',
      bars: tornado.bars.map((bar) => ({
        name: isNumberName(bar.input) ? labelNumber(bar.input) : bar.input,
        atLow: bar.downtimeAtLow,
        atHigh: bar.downtimeAtHigh,
        low: significant(bar.low),
        high: significant(bar.high),
      })),
    }),
  };
}

function transitionTable(setting: Setting): Section {
  const values = valuesOf('dual', setting);
  return {
    kind: 'table',
    heading: 'The model of figure 5, reconstructed',
    columns: ['from', 'to', 'rate', 'per hour', 'what happens', 'rests on'],
    rows: MICRO_CHECKPOINT.transitions.map(({ from, to, rate, label, source = '' }) => [
      from,
      to,
      formatRate(rate),
      evaluate(rate, values).toPrecision(4),
      label,
      source,
    ]),
    caption:
      'The figure of the paper is lost; its text determines these transitions. (k, j): k the protected VM, j the checkpointing VM; available in (1,1) and (1,F).',
  };
}

/** `MTTF of the VM, h` in its parts. */
function nameAndUnit(parameter: NumberName): { readonly name: string; readonly unit: string } {
  const [name = '', unit = ''] = labelNumber(parameter).split(', ');
  return { name, unit };
}

function labelOf(name: NumberName): string {
  return labelNumber(name);
}

function isNumberName(name: string): name is NumberName {
  return (NUMBER_NAMES as readonly string[]).includes(name);
}
