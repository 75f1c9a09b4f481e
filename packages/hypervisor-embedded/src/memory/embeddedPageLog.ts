import { PAGE_BYTES, RmkError, type PageLog } from '@rmk/core';
import { absentFrameError } from '@rmk/driver';
import { checkBit } from './checksum.js';
import { NO_ENTRY, type LogArea, type LogChain } from './logArea.js';

/** The handle of a page log. Besides what every page log can do, its storage can be damaged on purpose. */
export class EmbeddedPageLog implements PageLog {
  constructor(
    private readonly area: LogArea,
    readonly chain: LogChain,
  ) {}

  belongsTo(area: LogArea): boolean {
    return this.area === area;
  }

  get pages(): number {
    return this.chain.entries;
  }

  async frames(): Promise<Uint32Array> {
    this.checkUsable();
    return Uint32Array.from(this.entries(), (entry) => this.area.frame(entry));
  }

  async read(frame: number): Promise<Uint8Array | 'absent'> {
    const entry = this.find(frame);
    return this.area.isAbsent(entry) ? 'absent' : this.area.read(entry);
  }

  async verify(): Promise<Uint32Array> {
    this.checkUsable();
    const damaged = this.entries().filter((entry) => !this.area.isIntact(entry));
    return Uint32Array.from(damaged, (entry) => this.area.frame(entry));
  }

  release(): void {
    this.area.release(this.chain);
  }

  /** Flips a bit (0 to 32767) of the content saved for `frame`: a fault in the memory that keeps the checkpoints. */
  damage(frame: number, bit: number): void {
    const entry = this.find(frame);
    checkBit(bit, PAGE_BYTES);
    if (this.area.isAbsent(entry)) {
      throw new RmkError(
        'RMK_ERR_INPUT',
        `page frame ${frame} is saved as absent: there is no content to damage`,
      );
    }
    this.area.flipBit(entry, bit);
  }

  private entries(): number[] {
    const entries: number[] = [];
    for (let entry = this.chain.first; entry !== NO_ENTRY; entry = this.area.after(entry))
      entries.push(entry);
    return entries;
  }

  private find(frame: number): number {
    this.checkUsable();
    const found = this.entries().find((entry) => this.area.frame(entry) === frame);
    if (found === undefined) throw absentFrameError(frame);
    return found;
  }

  private checkUsable(): void {
    if (this.area.isUsable(this.chain)) return;
    throw new RmkError(
      'RMK_ERR_RELEASED',
      'the page log was released, or discarded by a full log area or a restart',
    );
  }
}
