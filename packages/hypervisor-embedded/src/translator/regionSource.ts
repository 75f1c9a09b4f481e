import { LINE_SHIFT } from '../memory/translatableMemory.js';

const WORDS_SHIFT = LINE_SHIFT - 2;
const WORDS = 1 << WORDS_SHIFT;

/** The content of the lines that a region was translated from. */
export class RegionSource {
  /** Offsets into RAM over 64. */
  readonly lines: Uint32Array;
  private readonly words: Int32Array;

  /** `ram`: guest RAM in words. */
  constructor(
    private readonly ram: Int32Array,
    lines: ReadonlySet<number>,
  ) {
    this.lines = Uint32Array.from(lines);
    this.words = new Int32Array(this.lines.length << WORDS_SHIFT);
    this.lines.forEach((line, index) => {
      const first = line << WORDS_SHIFT;
      this.words.set(ram.subarray(first, first + WORDS), index << WORDS_SHIFT);
    });
  }

  /** Whether RAM holds the same again. */
  isThere(): boolean {
    const { ram, words } = this;
    let at = 0;
    for (const line of this.lines) {
      const first = line << WORDS_SHIFT;
      for (let word = first; word < first + WORDS; word += 1, at += 1)
        if (ram[word] !== words[at]) return false;
    }
    return true;
  }
}
