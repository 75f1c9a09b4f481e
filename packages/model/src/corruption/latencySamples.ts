import { ModelError } from '../errors.js';

/** What a latency sample file holds. */
export interface LatencySamples {
  /** Corruption latencies in ms, injection to detection; `Infinity` where the error was never detected. */
  readonly latenciesMs: readonly number[];
  /** The header's words, or undefined where the file has none. */
  readonly definition: string | undefined;
  /** What a reader should know before trusting the numbers. */
  readonly warnings: readonly string[];
}

const DEFINITION = /injection\b.*\bdetection|injection.?to.?detection/i;
const OTHER_DEFINITION = /first read|activation|\berror latency|\bfault latency/i;

/**
 * Reads a sample file: a `#` header that names the definition, then one corruption latency in milliseconds a line, `inf` for an
 * error that was never detected. Empty lines do not count.
 *
 * @throws ModelError for a file without a latency, for lines that are not latencies (all are listed, up to ten), and for a header
 * that names another latency than the one from injection to detection.
 */
export function parseLatencySamples(text: string, path = 'the samples'): LatencySamples {
  const latenciesMs: number[] = [];
  const headers: string[] = [];
  const problems: string[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '') continue;
    if (line.startsWith('#')) {
      headers.push(line.slice(1).trim());
      continue;
    }
    const value = latencyOf(line);
    if (value !== undefined) latenciesMs.push(value);
    else problems.push(`line ${index + 1}: "${line}" is not a latency in ms that is zero or more, nor inf`);
  }
  if (problems.length > 0) {
    const more = problems.length > 10 ? [`and ${problems.length - 10} lines more`] : [];
    throw new ModelError('RMK_ERR_INPUT', `${path} is not a sample file of latencies: one number a line`, [
      ...problems.slice(0, 10),
      ...more,
    ]);
  }
  if (latenciesMs.length === 0) {
    throw new ModelError('RMK_ERR_INPUT', `${path} holds no latency: write one a line, in ms, or inf`);
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
  return { latenciesMs, definition, warnings };
}

const DECIMAL = /^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A number too large to be represented is a mistake, and not an error that was never detected. */
function latencyOf(line: string): number | undefined {
  if (/^\+?inf(inity)?$/i.test(line)) return Infinity;
  const value = DECIMAL.test(line) ? Number(line) : Infinity;
  return value === Infinity ? undefined : value;
}
