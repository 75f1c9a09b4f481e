import { ModelError, type ModelProblem } from '../errors.js';
import type { LatencySample } from './latencySample.js';

/** What a latency sample file holds. */
export interface LatencySamples {
  /** Corruption latencies, injection to detection. */
  readonly samples: readonly LatencySample[];
  /** The header's words, or undefined where the file has none. */
  readonly definition: string | undefined;
  /** What a reader should know before trusting the numbers. */
  readonly warnings: readonly string[];
}

const DEFINITION = /injection\b.*\bdetection|injection.?to.?detection/i;
const OTHER_DEFINITION = /first read|activation|\berror latency|\bfault latency/i;

/**
 * Reads a sample file: a `#` header that names the definition, then one corruption latency in milliseconds a line,
 * `>250` for an error that was watched for 250 ms and not detected until then, `inf` for one that is known never to be
 * detected. Empty lines do not count.
 *
 * Throws RMK_ERR_INPUT for a file without a latency, for lines that are not latencies (all are listed, up to ten), and
 * for a header that names another latency than the one from injection to detection.
 */
export function parseLatencySamples(text: string, path = 'the samples'): LatencySamples {
  const samples: LatencySample[] = [];
  const headers: string[] = [];
  const problems: ModelProblem[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '') continue;
    if (line.startsWith('#')) {
      headers.push(line.slice(1).trim());
      continue;
    }
    const sample = sampleOf(line);
    if (sample !== undefined) samples.push(sample);
    else
      problems.push({
        path: `line ${index + 1}`,
        message: `${quoted(line)} is not a latency in ms (12.5), nor one that was cut off (>250), nor inf`,
      });
  }
  if (problems.length > 0) {
    const more =
      problems.length > 10 ? [{ path: '', message: `and ${problems.length - 10} lines more` }] : [];
    throw new ModelError('RMK_ERR_INPUT', `${path} is not a sample file of latencies: one number a line`, [
      ...problems.slice(0, 10),
      ...more,
    ]);
  }
  if (samples.length === 0) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `${path} holds no latency. Write one a line: 12.5 in ms, >250 if the experiment ended first, or inf if never detected.`,
    );
  }
  const definition = headers.length === 0 ? undefined : headers.join(' ');
  if (definition !== undefined && !DEFINITION.test(definition) && OTHER_DEFINITION.test(definition)) {
    throw new ModelError(
      'RMK_ERR_INPUT',
      `${path} says that it holds "${definition}", but the model needs the latency from injection to detection`,
    );
  }
  const warnings =
    definition !== undefined && DEFINITION.test(definition)
      ? []
      : [`${path} has no # header that says "injection to detection"; its numbers are taken as that`];
  return { samples, definition, warnings };
}

/** A line as it may be printed: without control characters, and not too long. */
function quoted(line: string): string {
  const shown = line.length > 40 ? `${line.slice(0, 40)}…` : line;
  return `"${shown.replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '\uFFFD')}"`;
}

const DECIMAL = /^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A number too large to be represented is a mistake, and not an error that was never detected. */
function sampleOf(line: string): LatencySample | undefined {
  if (/^\+?inf(inity)?$/i.test(line)) return Infinity;
  const censored = /^>\s*(.+)$/.exec(line);
  const number = censored?.[1] ?? line;
  const value = DECIMAL.test(number) ? Number(number) : Infinity;
  if (value === Infinity) return undefined;
  return censored === null ? value : { longerThanMs: value };
}
