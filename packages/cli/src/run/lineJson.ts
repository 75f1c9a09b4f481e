import { hasCode, messageOf, type Checkpoint } from '@rmk/core';
import { authorFrames } from '@rmk/kernel';

/** A line as JSON. Never throws: what cannot be written is replaced by the reason, and the rest is written. */
export function lineJson(line: object): string {
  try {
    return jsonOf(line);
  } catch {
    return jsonOf(writableOf(line, 2));
  }
}

/** A copy in which what cannot be written is replaced, one by one, down to the members of the payload. */
function writableOf(value: object, depth: number): object {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    let member: unknown;
    try {
      member = (value as Readonly<Record<string, unknown>>)[key];
      jsonOf({ [key]: member });
      copy[key] = member;
    } catch (error) {
      const isOpened = depth > 1 && typeof member === 'object' && member !== null && !Array.isArray(member);
      copy[key] = isOpened ? writableOf(member as object, depth - 1) : `[not written: ${messageOf(error)}]`;
    }
  }
  return copy;
}

function jsonOf(value: object): string {
  /** The objects around the one that is written. */
  const around: unknown[] = [];
  return JSON.stringify(value, function (this: unknown, key: string, member: unknown) {
    while (around.length > 0 && around.at(-1) !== this) around.pop();
    if (around.includes(member)) return '[circular]';
    const shown = plain(key, member);
    if (typeof shown === 'object' && shown !== null) around.push(shown);
    return shown;
  });
}

/**
 * Typed arrays by their number of elements, whole numbers without a limit as text, errors by what they say and where,
 * checkpoints without their bytes.
 */
function plain(key: string, value: unknown): unknown {
  if (key === 'error' || value instanceof Error) return errorJson(value);
  if (ArrayBuffer.isView(value)) return 'length' in value ? value.length : value.byteLength;
  if (isCheckpoint(value)) return { takenAtNs: value.takenAtNs, origin: value.origin };
  if (typeof value === 'bigint') return String(value);
  return value;
}

function errorJson(thrown: unknown): object {
  const stack = authorFrames(thrown).map(({ name, place }) =>
    name === undefined ? place : `${name} (${place})`,
  );
  return {
    ...(hasCode(thrown) ? { code: thrown.code } : {}),
    message: messageOf(thrown),
    ...(stack.length === 0 ? {} : { stack }),
  };
}

/** Of the agent's ring, which keeps the parts of a checkpoint with it. */
function isCheckpoint(value: unknown): value is Checkpoint {
  return typeof value === 'object' && value !== null && 'takenAtNs' in value && 'context' in value;
}
