import type { EpochPlan } from '@rmk/core';
import type { EpochPages } from '../../src/memory/guestMemory.js';

const PAGE = 4096;

/** An epoch of the model: the state at its opening in full, and what a page log of it holds. */
export interface ModelEpoch {
  readonly atOpening: Uint8Array;
  readonly presentAtOpening: ReadonlySet<number>;
  readonly saved: Set<number>;
  readonly preSaved: Set<number>;
  readonly dirty: Set<number>;
  readonly clusterPages: number;
  faults: number;
}

/**
 * Guest memory under checkpoints in plain sets and whole copies: slow, and so simple that it can be taken for the
 * meaning of the words. Epochs are kept newest first, as a ring of checkpoints keeps them.
 */
export class MemoryModel {
  readonly memory: Uint8Array;
  readonly present = new Set<number>();
  epochs: readonly ModelEpoch[] = [];
  /** H_0: written since the last checkpoint that there was, while none is retained. */
  unlogged: ReadonlySet<number> = new Set();
  /** Whether the log area was full when it was needed. */
  lost = false;

  constructor(
    readonly pages: number,
    readonly logPages: number,
  ) {
    this.memory = new Uint8Array(pages * PAGE);
  }

  get free(): number {
    return this.logPages - this.epochs.reduce((used, { saved }) => used + saved.size, 0);
  }

  write(offset: number, data: Uint8Array): void {
    for (let at = offset; at < offset + data.length; at++) {
      if (at === offset || at % PAGE === 0) this.touch(Math.floor(at / PAGE));
      this.memory[at] = data[at - offset] ?? 0;
    }
  }

  discard(frame: number): void {
    if (!this.present.has(frame)) return;
    this.touch(frame);
    this.present.delete(frame);
    this.memory.fill(0, frame * PAGE, (frame + 1) * PAGE);
  }

  /** What a checkpoint reports of the epoch that it ends. */
  get report(): EpochPages | undefined {
    const [open] = this.epochs;
    if (open === undefined) return undefined;
    return {
      updated: Uint32Array.from(ascending(open.dirty)),
      pageFaults: open.faults,
      pagesSaved: open.saved.size,
      pagesPreSaved: open.preSaved.size,
      preSavedInVain: [...open.preSaved].filter((frame) => !open.dirty.has(frame)).length,
    };
  }

  /** The pages that the plan saves ahead when `written` are those of the last epoch. */
  preSaveSet(plan: EpochPlan, written: ReadonlySet<number>): ReadonlySet<number> {
    const wanted = new Set([...(plan.preSave === 'updated' ? written : []), ...(plan.add ?? [])]);
    for (const frame of plan.drop ?? []) wanted.delete(frame);
    return wanted;
  }

  private get foreseen(): ReadonlySet<number> {
    return this.unlogged.size > this.free / 4 ? new Set() : this.unlogged;
  }

  /** False where the plan does not fit: then nothing has changed. */
  checkpoint(plan: EpochPlan): boolean {
    const preSaved = this.preSaveSet(plan, this.epochs[0]?.dirty ?? this.foreseen);
    if (preSaved.size > this.free) return false;
    this.open(plan, preSaved, this.epochs);
    this.unlogged = new Set();
    return true;
  }

  /** Goes back over so many epochs. */
  rollback(count: number, plan: EpochPlan): void {
    const undone = this.epochs.slice(0, count);
    const target = undone.at(-1);
    if (target === undefined) throw new Error('nothing to roll back');
    this.memory.set(target.atOpening);
    this.present.clear();
    for (const frame of target.presentAtOpening) this.present.add(frame);
    const wanted = this.preSaveSet(plan, new Set(undone.flatMap(({ dirty }) => [...dirty])));
    // The logs that are undone take room until the new epoch is open.
    this.open(plan, wanted.size <= this.free ? wanted : new Set(), this.epochs.slice(count));
  }

  /** Gives up the oldest checkpoints. */
  retain(count: number): void {
    this.epochs = this.epochs.slice(0, count);
  }

  private open(plan: EpochPlan, preSaved: ReadonlySet<number>, older: readonly ModelEpoch[]): void {
    this.epochs = [
      {
        atOpening: this.memory.slice(),
        presentAtOpening: new Set(this.present),
        saved: new Set(preSaved),
        preSaved: new Set(preSaved),
        dirty: new Set(),
        clusterPages: plan.clusterPages ?? 1,
        faults: 0,
      },
      ...older,
    ];
  }

  private touch(frame: number): void {
    this.present.add(frame);
    const [open] = this.epochs;
    if (open === undefined) {
      this.unlogged = new Set([...this.unlogged, frame]);
      return;
    }
    open.dirty.add(frame);
    if (open.saved.has(frame)) return;
    open.faults++;
    if (this.free === 0) {
      this.epochs = [];
      this.unlogged = open.dirty;
      this.lost = true;
      return;
    }
    open.saved.add(frame);
    const first = frame - (frame % open.clusterPages);
    for (let near = first; near < Math.min(first + open.clusterPages, this.pages); near++) {
      if (open.saved.has(near) || this.free === 0) continue;
      open.saved.add(near);
      open.preSaved.add(near);
    }
  }
}

export function ascending(frames: Iterable<number>): readonly number[] {
  return [...frames].toSorted((one, other) => one - other);
}
