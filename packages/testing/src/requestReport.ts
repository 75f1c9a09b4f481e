import { RmkError, type Nanoseconds } from '@rmk/core';
import { outputBytes, type OutputByte, type TranscriptEntry } from './outputTranscript.js';

/** A request, and how it must be answered. */
export interface ExpectedAnswer {
  readonly id: string;
  /** The whole line, without its line feed; it begins with the identifier and a blank. */
  readonly answer: string;
}

export interface GivenAnswer {
  readonly text: string;
  /** Domain time at which its last byte left. */
  readonly atNs: Nanoseconds;
  /** When a rollback or a restart struck it out. Undefined if it is part of the committed output. */
  readonly struckAtNs?: Nanoseconds;
  /** Something was struck out in the midst of it: on the wire, two pieces of lines stand there as one. */
  readonly isCut: boolean;
}

export interface DuplicatedAnswer {
  readonly id: string;
  readonly answers: readonly GivenAnswer[];
}

export interface WrongAnswer extends GivenAnswer {
  readonly id: string;
  readonly expected: string;
}

/** What became of the requests, by one of the two outputs. */
export interface OutputReport {
  /** Requests answered exactly once, and right. */
  readonly answered: number;
  /** Requests without any answer. */
  readonly lost: readonly string[];
  /** Requests with more than one answer, right or wrong. */
  readonly duplicated: readonly DuplicatedAnswer[];
  readonly wrong: readonly WrongAnswer[];
  /** Lines that begin with no identifier of a request. */
  readonly others: readonly string[];
}

export interface RequestReport {
  readonly requests: number;
  /** By the output without what was struck out: what counts once rollbacks are hidden from the clients. */
  readonly committed: OutputReport;
  /** By every byte that left: what the clients saw. */
  readonly wire: OutputReport;
}

/**
 * What became of each request. `expected`: all requests, in any order. `RMK_ERR_INPUT` where two have one identifier,
 * or the transcript is not complete.
 */
export function requestReport(
  expected: readonly ExpectedAnswer[],
  transcript: readonly TranscriptEntry[],
): RequestReport {
  const answers = new Map(expected.map(({ id, answer }) => [id, answer]));
  if (answers.size !== expected.length) {
    throw new RmkError('RMK_ERR_INPUT', 'two requests have the same identifier: give each one of its own');
  }
  const wire = outputBytes(transcript);
  const committed = wire
    .filter(({ struckAtNs }) => struckAtNs === undefined)
    .map(({ byte, atNs }) => ({ byte, atNs, afterStrike: false }));
  return {
    requests: expected.length,
    committed: reportOn(answers, linesOf(committed)),
    wire: reportOn(answers, linesOf(wire)),
  };
}

function reportOn(expected: ReadonlyMap<string, string>, lines: readonly GivenAnswer[]): OutputReport {
  const given = new Map<string, GivenAnswer[]>([...expected.keys()].map((id) => [id, []]));
  const others: string[] = [];
  for (const line of lines) {
    const answers = given.get(line.text.split(' ', 1)[0] ?? '');
    if (answers === undefined) others.push(line.text);
    else answers.push(line);
  }
  const requests = [...given].map(([id, answers]) => ({
    id,
    answers,
    wrong: answers
      .filter(({ text }) => text !== expected.get(id))
      .map((answer) => ({ id, expected: expected.get(id) ?? '', ...answer })),
  }));
  return {
    answered: requests.filter(({ answers, wrong }) => answers.length === 1 && wrong.length === 0).length,
    lost: requests.filter(({ answers }) => answers.length === 0).map(({ id }) => id),
    duplicated: requests
      .filter(({ answers }) => answers.length > 1)
      .map(({ id, answers }) => ({ id, answers })),
    wrong: requests.flatMap(({ wrong }) => wrong),
    others,
  };
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The last one may be unfinished: then it counts as it stands. */
function linesOf(bytes: readonly OutputByte[]): readonly GivenAnswer[] {
  const lines: GivenAnswer[] = [];
  let start = 0;
  for (const [index, { byte }] of bytes.entries()) {
    if (byte !== LINE_FEED && index !== bytes.length - 1) continue;
    lines.push(lineOf(bytes.slice(start, index + 1)));
    start = index + 1;
  }
  return lines;
}

function lineOf(bytes: readonly OutputByte[]): GivenAnswer {
  const visible = bytes.filter(({ byte }) => byte !== LINE_FEED && byte !== CARRIAGE_RETURN);
  const last = bytes.at(-1);
  const struckAtNs = bytes.find((one) => one.struckAtNs !== undefined)?.struckAtNs;
  return {
    text: new TextDecoder().decode(Uint8Array.from(visible, ({ byte }) => byte)),
    atNs: last?.atNs ?? Number.NaN,
    ...(struckAtNs === undefined ? {} : { struckAtNs }),
    isCut: bytes.slice(1).some(({ afterStrike }) => afterStrike),
  };
}
