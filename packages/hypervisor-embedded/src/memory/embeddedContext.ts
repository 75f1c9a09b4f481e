import type { Context } from '@rmk/core';
import { checkBit, checksum } from './checksum.js';
import type { LogChain } from './logArea.js';

/** The saved context of the VM. Its checksum is taken when it is made. */
export class EmbeddedContext implements Context {
  readonly bytes: number;
  private readonly words: Int32Array;
  private readonly sum: number;

  /** `saved`: a whole number of 32-bit words; taken over, not copied. `log`: that of the epoch opened with it. */
  constructor(
    readonly saved: Uint8Array,
    readonly log: LogChain,
  ) {
    this.bytes = saved.length;
    this.words = new Int32Array(saved.buffer, saved.byteOffset, saved.length / 4);
    this.sum = this.currentSum();
  }

  isIntact(): boolean {
    return this.sum === this.currentSum();
  }

  async verify(): Promise<boolean> {
    return this.isIntact();
  }

  /** The bytes go with the last reference to them. */
  release(): void {}

  /** Flips a bit (0 to 8 × bytes - 1) of the saved context: a fault in the memory that keeps the checkpoints. */
  damage(bit: number): void {
    checkBit(bit, this.bytes);
    const at = bit >>> 3;
    this.saved[at] = (this.saved[at] ?? 0) ^ (1 << (bit & 7));
  }

  private currentSum(): number {
    return checksum(this.words, 0, this.words.length, 0);
  }
}
