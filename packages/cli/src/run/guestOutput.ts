import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { messageOf, type Facts } from '@rmk/core';
import type { EmbeddedMachine } from '@rmk/hypervisor-embedded';

/** Files that the output of a guest goes to. */
export interface GuestFiles {
  /** Without what rollbacks and restarts struck. */
  readonly committed: string;
  /** Every byte that left. */
  readonly wire: string;
}

/** Console output of a guest. */
export interface GuestOutput {
  readonly committedBytes: number;
  readonly wireBytes: number;
  /** Completes the files, and returns what failed. */
  finish(): readonly string[];
}

/** The transcript of an embedded machine, which is bounded by its options. */
export class TranscriptOutput implements GuestOutput {
  constructor(
    private readonly machine: Pick<EmbeddedMachine, 'committedOutput' | 'wireOutput'>,
    private readonly files: GuestFiles | undefined,
  ) {}

  get committedBytes(): number {
    return this.machine.committedOutput.length;
  }

  get wireBytes(): number {
    return this.machine.wireOutput.length;
  }

  finish(): readonly string[] {
    if (this.files === undefined) return [];
    const { committedOutput, wireOutput } = this.machine;
    return [
      ...attempt(this.files.committed, (path) => writeFileSync(path, committedOutput)),
      ...attempt(this.files.wire, (path) => writeFileSync(path, wireOutput)),
    ];
  }
}

/** Output that goes to the files as it comes: a VM that runs for months takes no memory for it. */
export class StreamedOutput implements GuestOutput {
  wireBytes = 0;
  private appendedBytes = 0;
  private readonly committed: FileEnd | undefined;
  private readonly wire: FileEnd | undefined;

  /** `committedNow`: how far the committed output reaches, which shrinks before more output shows it. */
  constructor(
    files: GuestFiles | undefined,
    private readonly committedNow: () => number,
  ) {
    if (files === undefined) return;
    this.committed = new FileEnd(files.committed);
    this.wire = new FileEnd(files.wire);
  }

  get committedBytes(): number {
    return Math.min(this.appendedBytes, this.committedNow());
  }

  /** Output after `position` was undone by a rollback or a restart. */
  append({ position, data }: Pick<Facts['output'], 'position' | 'data'>): void {
    // An RMK that attached to the VM knows nothing of the output before.
    const kept = Math.min(position, this.appendedBytes);
    this.committed?.write(data, kept);
    this.wire?.write(data, this.wireBytes);
    this.appendedBytes = kept + data.length;
    this.wireBytes += data.length;
  }

  finish(): readonly string[] {
    this.committed?.write(new Uint8Array(0), this.committedBytes);
    return [this.committed, this.wire].flatMap((file) => file?.close() ?? []);
  }
}

/** A file that is written at its end, after being cut where output was undone. After a failure it is left as it is. */
class FileEnd {
  private file: number | undefined;
  private problems: readonly string[] = [];

  constructor(private readonly path: string) {}

  write(data: Uint8Array, at: number): void {
    if (this.problems.length > 0) return;
    this.problems = attempt(this.path, () => {
      // At the first output: a run that does not begin leaves the files of the one before.
      const file = (this.file ??= openSync(this.path, 'w'));
      ftruncateSync(file, at);
      for (let done = 0; done < data.length;) done += writeSync(file, data, done, undefined, at + done);
    });
  }

  /** Returns what failed. */
  close(): readonly string[] {
    // A guest without output has empty files.
    if (this.file === undefined) this.write(new Uint8Array(0), 0);
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
    return this.problems;
  }
}

function attempt(path: string, write: (path: string) => unknown): readonly string[] {
  try {
    write(path);
    return [];
  } catch (error) {
    return [`${path} could not be written: ${messageOf(error)}`];
  }
}
