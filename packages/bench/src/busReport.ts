import Table from 'cli-table3';
import pc from 'picocolors';
import {
  AWAITED_SHARE,
  EMITTER_NAMES,
  LISTENER_COUNTS,
  REFERENCE,
  type BusBenchmarkResult,
} from './busBenchmark.js';
import type { EmitterName } from './emitters.js';
import type { Spread } from './spread.js';

const colour = pc.createColors(process.stdout.isTTY);
const PLAIN = { style: { head: [], border: [], compact: true } };
const BAR_WIDTH = 48;
/** Ratios beyond it do not fit: their bars end in an arrow. */
const LARGEST_RATIO = 4;

/** What the bus of RMK is held to. */
const TARGET = { ratio: 1, nsWithoutListeners: 5 };

/** Times in nanoseconds of host time. */
export function busJson(result: BusBenchmarkResult): string {
  const { nsPerEmit, ratio, rounds, eventsPerRound, seed, wrong } = result;
  const json = {
    nsPerEmit: mapped(nsPerEmit, ({ median }) => rounded(median)),
    nsPerEmitSpread: mapped(nsPerEmit, roundedSpread),
    ratioToEventemitter3: mapped(ratio, roundedSpread),
    targetsMet: targetsMet(result),
    wrong,
    rounds,
    eventsPerRound,
    seed,
    node: process.versions.node,
  };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

export function busText(result: BusBenchmarkResult): string {
  const { rounds, eventsPerRound, nsPerEmit, ratio, wrong } = result;
  return [
    `Host time of an event in ns, its making included: median (quartiles) of ${rounds} rounds of ${eventsPerRound} events, Node ${process.versions.node}`,
    table(nsPerEmit, 1),
    `Ratio to ${REFERENCE}, measured beside it in the same round: median (quartiles)`,
    table(ratio, 2),
    ...LISTENER_COUNTS.flatMap((listeners) => ['', ...bars(result, listeners)]),
    '',
    `emittery calls its listeners later and is awaited for each event, for a ${AWAITED_SHARE}th of the events; all others deliver synchronously.`,
    ...wrong.map(({ emitter, listeners }) =>
      colour.red(`${emitter} did not deliver each event once, in order, to each of ${listeners} listeners.`),
    ),
    targetText(result),
    '',
  ].join('\n');
}

function table(cells: BusBenchmarkResult['ratio'], digits: number): string {
  const drawn = new Table({ ...PLAIN, head: ['listeners', ...LISTENER_COUNTS.map(String)] });
  const text = ({ median, low, high }: Spread): string =>
    `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
  for (const name of EMITTER_NAMES) {
    drawn.push([name, ...LISTENER_COUNTS.map((listeners) => text(cells[name][listeners]))]);
  }
  return drawn.toString();
}

function bars(
  { ratio, nsPerEmit }: BusBenchmarkResult,
  listeners: (typeof LISTENER_COUNTS)[number],
): readonly string[] {
  const width = Math.max(...EMITTER_NAMES.map(({ length }) => length));
  const bar = (name: EmitterName): string => {
    const { median } = ratio[name][listeners];
    const length = Math.max(1, Math.round((Math.min(median, LARGEST_RATIO) / LARGEST_RATIO) * BAR_WIDTH));
    const drawn = median > LARGEST_RATIO ? `${'█'.repeat(length - 1)}▶` : '█'.repeat(length);
    const ns = `${nsPerEmit[name][listeners].median.toFixed(1)} ns`;
    return `  ${name.padEnd(width)} ${name === 'rmk' ? colour.green(drawn) : drawn} ${ns}`;
  };
  return [`${listeners} ${listeners === 1 ? 'listener' : 'listeners'}`, ...EMITTER_NAMES.map(bar)];
}

function targetsMet({ nsPerEmit, ratio }: BusBenchmarkResult): Record<string, boolean> {
  return {
    ratioAtMost1: LISTENER_COUNTS.every((listeners) => ratio.rmk[listeners].median <= TARGET.ratio),
    under5nsWithoutListeners: nsPerEmit.rmk[0].median < TARGET.nsWithoutListeners,
  };
}

function targetText(result: BusBenchmarkResult): string {
  const text = (met: boolean | undefined): string =>
    met === true ? colour.green('met') : colour.red('missed');
  const { ratioAtMost1, under5nsWithoutListeners } = targetsMet(result);
  return (
    `Targets of RMK: at most the time of ${REFERENCE}, isolation included: ${text(ratioAtMost1)}; ` +
    `under ${TARGET.nsWithoutListeners} ns where nobody listens: ${text(under5nsWithoutListeners)}.`
  );
}

function mapped(cells: BusBenchmarkResult['ratio'], as: (spread: Spread) => number | Spread): object {
  return Object.fromEntries(
    EMITTER_NAMES.map((name) => [
      name,
      Object.fromEntries(LISTENER_COUNTS.map((listeners) => [listeners, as(cells[name][listeners])])),
    ]),
  );
}

function roundedSpread({ median, low, high }: Spread): Spread {
  return { median: rounded(median), low: rounded(low), high: rounded(high) };
}

function rounded(number: number): number {
  return Number(number.toFixed(3));
}
