import { durationHint, isDuration, type Duration } from '@rmk/core';

/** Input that arrives on the UART at a moment of guest time. */
export interface InputChunk {
  readonly at: Duration;
  readonly data: Uint8Array;
}

const KINDS = ['line', 'text', 'bytes'] as const;
const ENTRY = /^(\S+)\s+(\S+)(?:[ \t](.*))?$/;
const SHAPE = "expected '<time> line|text|bytes <content>', such as '10ms line hello'";

/**
 * Reads a script of input. A line is a time, `line` (a line feed is added) or `text` and the text, or `bytes` and
 * pairs of hexadecimal digits. Text between double quotes is read as a JSON string, for what cannot be seen. Empty
 * lines, and lines that begin with `#`, are ignored. `problem` receives everything that is malformed.
 */
export function readInputScript(
  script: string,
  problem: (lineNumber: number, message: string) => void,
): readonly InputChunk[] {
  return script.split('\n').flatMap((written, index) => {
    const line = written.replace(/\r$/, '');
    if (/^\s*(#|$)/.test(line)) return [];
    const entry = readEntry(line.trimStart());
    if (typeof entry !== 'string') return [entry];
    problem(index + 1, entry);
    return [];
  });
}

/** An entry, or what is wrong with it. */
function readEntry(line: string): InputChunk | string {
  const [, at = '', kind = '', content = ''] = ENTRY.exec(line) ?? [];
  if (at === '') return SHAPE;
  if (!isDuration(at)) return `${JSON.stringify(at)} is no time: ${durationHint(at)}`;
  if (!KINDS.some((known) => known === kind)) return `unknown ${JSON.stringify(kind)}: ${SHAPE}`;
  const data = kind === 'bytes' ? hexBytes(content) : text(content, kind === 'line' ? '\n' : '');
  return typeof data === 'string' ? data : { at, data };
}

function hexBytes(content: string): Uint8Array | string {
  const pairs = content.trim().split(/\s+/);
  if (!pairs.every((pair) => /^[0-9a-f]{2}$/i.test(pair))) {
    return `${JSON.stringify(content)}: expected pairs of hexadecimal digits such as '0d 0a'`;
  }
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

function text(content: string, end: string): Uint8Array | string {
  const trimmed = content.trim();
  if (!trimmed.startsWith('"')) return new TextEncoder().encode(content + end);
  try {
    return new TextEncoder().encode(String(JSON.parse(trimmed)) + end);
  } catch {
    return `${trimmed}: expected a JSON string, since it begins with a quotation mark`;
  }
}
