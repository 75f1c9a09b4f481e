import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { RmkError, RMK_VERSION } from '@rmk/core';
import type { ExperimentRecord } from '../experiment/experimentRecord.js';

/** The first line of a journal: of which campaign its records are. */
export interface JournalHeader {
  readonly journal: 1;
  readonly rmk: string;
  /** Of everything that the records depend on. */
  readonly digest: string;
  readonly seed: number;
  /** The experiment file, for `replay`. */
  readonly experiment: string;
}

/** What a journal file holds. */
export interface JournalContent {
  readonly header: JournalHeader;
  readonly records: readonly ExperimentRecord[];
  /** Bytes up to the end of the last whole line. */
  readonly wholeBytes: number;
  /** Whether the file ends in the middle of a line: the campaign was killed while it wrote. */
  readonly isTorn: boolean;
}

const NEWLINE = 0x0a;

/** `RMK_ERR_JOURNAL` for a file that is no journal, or is damaged before its last line. */
export function readJournal(path: string): JournalContent {
  const bytes = readFileSync(path);
  const wholeBytes = bytes.lastIndexOf(NEWLINE) + 1;
  const lines = bytes.toString('utf8', 0, wholeBytes).split('\n').slice(0, -1);
  const [first, ...rest] = lines.map((line, index) => parsed(line, index, path));
  if (!isHeader(first))
    throw new RmkError('RMK_ERR_JOURNAL', `${path} is not a journal of rmk inject. Name another file.`);
  return {
    header: first,
    records: rest as ExperimentRecord[],
    wholeBytes,
    isTorn: wholeBytes < bytes.length,
  };
}

function parsed(line: string, index: number, path: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new RmkError(
      'RMK_ERR_JOURNAL',
      `${path}: line ${index + 1} is not JSON. Only a torn last line can be resumed: restore the file, or begin another.`,
    );
  }
}

function isHeader(value: unknown): value is JournalHeader {
  return typeof value === 'object' && value !== null && 'journal' in value && value.journal === 1;
}

/** Appends the records of a campaign, one line each, in the order in which they are done. */
export class Journal {
  private constructor(
    private readonly file: number,
    readonly records: readonly ExperimentRecord[],
    /** Bytes of a torn last line that were cut. */
    readonly cutBytes: number,
  ) {}

  /**
   * Opens a journal, or begins one. A torn last line is cut. `RMK_ERR_JOURNAL` for the journal of another experiment or
   * version; it is left as it is.
   */
  static open(path: string, campaign: Omit<JournalHeader, 'journal' | 'rmk'>): Journal {
    const header: JournalHeader = { journal: 1, rmk: RMK_VERSION, ...campaign };
    if (!existsSync(path)) return Journal.begin(path, header);
    const size = readFileSync(path).length;
    const content = size === 0 ? undefined : contentOf(path);
    if (content === undefined) return Journal.begin(path, header);
    const { digest, rmk } = content.header;
    if (digest !== header.digest || rmk !== header.rmk) {
      const whose = rmk === header.rmk ? 'another experiment' : `RMK ${rmk}, and this is ${header.rmk}`;
      throw new RmkError(
        'RMK_ERR_JOURNAL',
        `${path} is the journal of ${whose}. Name another file, or delete this one.`,
      );
    }
    const file = openSync(path, 'r+');
    ftruncateSync(file, content.wholeBytes);
    closeSync(file);
    return new Journal(openSync(path, 'a'), content.records, size - content.wholeBytes);
  }

  private static begin(path: string, header: JournalHeader): Journal {
    const file = openSync(path, 'a');
    ftruncateSync(file, 0);
    writeSync(file, `${JSON.stringify(header)}\n`);
    return new Journal(file, [], 0);
  }

  append(record: ExperimentRecord): void {
    writeSync(this.file, `${JSON.stringify(record)}\n`);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Undefined where not even the header is whole. `RMK_ERR_JOURNAL` for a file that was never a journal. */
function contentOf(path: string): JournalContent | undefined {
  const text = readFileSync(path, 'utf8');
  if (!text.includes('\n') && '{"journal":1,'.startsWith(text.slice(0, 13))) return undefined;
  return readJournal(path);
}
