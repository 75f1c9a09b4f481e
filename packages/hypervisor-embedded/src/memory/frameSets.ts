import type { EpochPlan } from '@rmk/core';
import { NO_ENTRY, type LogArea, type LogChain } from './logArea.js';

export const NO_FRAMES = new Uint32Array(0);

/** A set of page frames that is emptied in constant time. */
export class FrameMarks {
  /** The generation in which each frame was marked last. */
  private readonly generations: Uint32Array;
  private generation = 1;

  constructor(readonly pages: number) {
    this.generations = new Uint32Array(pages);
  }

  clear(): void {
    this.generation++;
  }

  /** Whether the frame was not marked yet. */
  add(frame: number): boolean {
    if (this.generations[frame] === this.generation) return false;
    this.generations[frame] = this.generation;
    return true;
  }
}

/** The frames that a plan pre-saves, ascending. `updated`: those of the epoch before, ascending, each once. */
export function preSaveFrames(marks: FrameMarks, plan: EpochPlan, updated: Uint32Array): Uint32Array {
  const wanted = plan.preSave === 'updated' ? updated : NO_FRAMES;
  const { add = NO_FRAMES, drop = NO_FRAMES } = plan;
  if (add.length === 0 && drop.length === 0) return wanted;
  marks.clear();
  for (const frame of drop) if (frame < marks.pages) marks.add(frame);
  const frames: number[] = [];
  for (const source of [wanted, add]) for (const frame of source) if (marks.add(frame)) frames.push(frame);
  return new Uint32Array(frames).toSorted();
}

/** The entries that a rollback restores: of each page the oldest one. `logs`: newest first. */
export function rulingEntries(
  marks: FrameMarks,
  area: LogArea,
  logs: readonly LogChain[],
): readonly number[] {
  marks.clear();
  const entries: number[] = [];
  for (const log of logs.toReversed()) {
    for (let entry = log.first; entry !== NO_ENTRY; entry = area.after(entry)) {
      if (marks.add(area.frame(entry))) entries.push(entry);
    }
  }
  return entries;
}

/** The frames written in any of the logs' epochs, ascending, each once. */
export function writtenFrames(marks: FrameMarks, area: LogArea, logs: readonly LogChain[]): Uint32Array {
  marks.clear();
  const frames: number[] = [];
  for (const log of logs) {
    for (let entry = log.first; entry !== NO_ENTRY; entry = area.after(entry)) {
      const frame = area.frame(entry);
      if (area.isWritten(entry) && marks.add(frame)) frames.push(frame);
    }
  }
  return new Uint32Array(frames).toSorted();
}
