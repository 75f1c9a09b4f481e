import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { messageOf, RmkError, RMK_VERSION } from '@rmk/core';
import { z } from 'zod';
import type { ExperimentRecord } from '../experiment/experimentRecord.js';
import { OUTCOMES } from '../experiment/outcome.js';
import { lockJournal } from './journalLock.js';

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
  /** One for each experiment. */
  readonly records: readonly ExperimentRecord[];
  /** Bytes up to the end of the last whole line. */
  readonly wholeBytes: number;
  /** Whether the file ends in the middle of a line: the campaign was killed while it wrote. */
  readonly isTorn: boolean;
}

const NEWLINE = 0x0a;

const headerSchema = z.object({
  journal: z.literal(1),
  rmk: z.string(),
  digest: z.string(),
  seed: z.number(),
  experiment: z.string(),
});
/** What everything that reads records relies on. */
const recordSchema = z.object({ number: z.int().min(0), fault: z.string(), outcome: z.enum(OUTCOMES) });

/**
 * `RMK_ERR_INPUT` for a file that cannot be read, `RMK_ERR_JOURNAL` for one that is no journal, or is damaged before
 * its last line.
 */
export function readJournal(path: string): JournalContent {
  return journalIn(bytesOf(path), path);
}

function journalIn(bytes: Buffer, path: string): JournalContent {
  const wholeBytes = bytes.lastIndexOf(NEWLINE) + 1;
  const lines = bytes.toString('utf8', 0, wholeBytes).split('\n').slice(0, -1);
  const [first, ...rest] = lines.map((line, index) => parsed(line, index, path));
  const header = headerSchema.safeParse(first);
  if (!header.success)
    throw new RmkError('RMK_ERR_JOURNAL', `${path} is not a journal of rmk inject. Name another file.`);
  rest.forEach((record, index) => {
    if (!recordSchema.safeParse(record).success) throw damaged(path, index + 2, 'no record of an experiment');
  });
  const records = new Map((rest as ExperimentRecord[]).map((record) => [record.number, record]));
  return {
    header: header.data,
    records: [...records.values()],
    wholeBytes,
    isTorn: wholeBytes < bytes.length,
  };
}

function parsed(line: string, index: number, path: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw damaged(path, index + 1, 'not JSON');
  }
}

function damaged(path: string, line: number, what: string): RmkError {
  return new RmkError(
    'RMK_ERR_JOURNAL',
    `${path}: line ${line} is ${what}. Only a torn last line can be resumed: restore the file, or begin another.`,
  );
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new RmkError('RMK_ERR_INPUT', `${path} cannot be read: ${messageOf(error)}. Fix the path.`);
  }
}

function opened(path: string, flags: 'a' | 'r+'): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    throw new RmkError(
      'RMK_ERR_INPUT',
      `${path} cannot be written: ${messageOf(error)}. Choose another path.`,
    );
  }
}

/** Appends the records of a campaign, one line each, in the order in which they are done. */
export class Journal {
  private constructor(
    private readonly file: number,
    readonly records: readonly ExperimentRecord[],
    /** Bytes of a torn last line that were cut. */
    readonly cutBytes: number,
    private readonly lock: Disposable,
  ) {}

  /**
   * Opens a journal, or begins one, and locks it until it is closed or this process ends. A torn last line is cut.
   * `RMK_ERR_JOURNAL` for a journal that another campaign is writing, or of another experiment or version; it is left
   * as it is. `RMK_ERR_INPUT` if it cannot be written.
   */
  static open(path: string, campaign: Omit<JournalHeader, 'journal' | 'rmk'>): Journal {
    const lock = lockJournal(path);
    try {
      return Journal.locked(path, { journal: 1, rmk: RMK_VERSION, ...campaign }, lock);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  private static locked(path: string, header: JournalHeader, lock: Disposable): Journal {
    if (!existsSync(path)) return Journal.begin(path, header, lock);
    const bytes = bytesOf(path);
    const content = bytes.length === 0 ? undefined : contentOf(bytes, path);
    if (content === undefined) return Journal.begin(path, header, lock);
    const { digest, rmk } = content.header;
    if (digest !== header.digest || rmk !== header.rmk) {
      const whose = rmk === header.rmk ? 'another experiment' : `RMK ${rmk}, and this is ${header.rmk}`;
      throw new RmkError(
        'RMK_ERR_JOURNAL',
        `${path} is the journal of ${whose}. Name another file, or delete this one.`,
      );
    }
    const file = opened(path, 'r+');
    ftruncateSync(file, content.wholeBytes);
    closeSync(file);
    return new Journal(opened(path, 'a'), content.records, bytes.length - content.wholeBytes, lock);
  }

  private static begin(path: string, header: JournalHeader, lock: Disposable): Journal {
    const file = opened(path, 'a');
    ftruncateSync(file, 0);
    writeSync(file, `${JSON.stringify(header)}\n`);
    return new Journal(file, [], 0, lock);
  }

  append(record: ExperimentRecord): void {
    writeSync(this.file, `${JSON.stringify(record)}\n`);
  }

  close(): void {
    closeSync(this.file);
    this.lock[Symbol.dispose]();
  }
}

/** Undefined where not even the header is whole. `RMK_ERR_JOURNAL` for a file that was never a journal. */
function contentOf(bytes: Buffer, path: string): JournalContent | undefined {
  const text = bytes.toString('utf8');
  if (!text.includes('\n') && '{"journal":1,'.startsWith(text.slice(0, 13))) return undefined;
  return journalIn(bytes, path);
}
