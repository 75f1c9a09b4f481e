import { crc32 } from 'node:zlib';
import { RmkError, type Context, type PageLog } from '@rmk/core';
import { absentFrameError, type EpochLink } from '@rmk/driver';

interface Entry {
  readonly content: Uint8Array;
  readonly checksum: number;
  readonly preSaved: boolean;
}

/** The prior contents of the pages written in one epoch of a fake machine. */
export class FakePageLog implements PageLog, EpochLink {
  /** Set when it is released, and when a restart or a full log area discards it. */
  isReleased = false;
  readonly written = new Set<number>();
  private readonly entries = new Map<number, Entry>();

  constructor(
    readonly owner: object,
    readonly epoch: number,
    readonly previousEpoch: number | undefined,
  ) {}

  get pages(): number {
    return this.entries.size;
  }

  get preSavedFrames(): readonly number[] {
    return [...this.entries].filter(([, { preSaved }]) => preSaved).map(([frame]) => frame);
  }

  /** Oldest first. */
  get savedFrames(): readonly number[] {
    return [...this.entries.keys()];
  }

  has(frame: number): boolean {
    return this.entries.has(frame);
  }

  save(frame: number, content: Uint8Array, preSaved: boolean): void {
    this.entries.set(frame, { content, checksum: crc32(content), preSaved });
  }

  contentOf(frame: number): Uint8Array {
    const entry = this.entries.get(frame);
    if (entry !== undefined) return entry.content;
    throw absentFrameError(frame);
  }

  isIntact(frame: number): boolean {
    const entry = this.entries.get(frame);
    return entry === undefined || crc32(entry.content) === entry.checksum;
  }

  /** Changes what is kept for a page: a fault in the memory that keeps the checkpoints. */
  damage(frame: number): void {
    this.checkUsable();
    const content = this.contentOf(frame);
    content[0] = (content[0] ?? 0) ^ 1;
  }

  async frames(): Promise<Uint32Array> {
    this.checkUsable();
    return Uint32Array.from(this.savedFrames);
  }

  async read(frame: number): Promise<Uint8Array> {
    this.checkUsable();
    return this.contentOf(frame).slice();
  }

  async verify(): Promise<Uint32Array> {
    this.checkUsable();
    return Uint32Array.from(this.savedFrames.filter((frame) => !this.isIntact(frame)));
  }

  /** Whoever still holds it holds no contents. */
  release(): void {
    this.isReleased = true;
    this.entries.clear();
    this.written.clear();
  }

  private checkUsable(): void {
    if (!this.isReleased) return;
    throw new RmkError('RMK_ERR_RELEASED', 'the page log was released, or discarded by a restart');
  }
}

/** All of a fake VM that is not in pages. */
export class FakeContext<S> implements Context {
  readonly bytes: number;
  isReleased = false;
  private isDamaged = false;

  constructor(
    readonly saved: S,
    /** Of the epoch that was opened with it. */
    readonly log: FakePageLog,
  ) {
    this.bytes = JSON.stringify(saved, (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    ).length;
  }

  get isIntact(): boolean {
    return !this.isDamaged;
  }

  damage(): void {
    this.isDamaged = true;
  }

  async verify(): Promise<boolean> {
    return this.isIntact;
  }

  release(): void {
    this.isReleased = true;
  }
}
