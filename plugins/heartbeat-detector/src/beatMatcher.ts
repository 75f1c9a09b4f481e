/**
 * Finds a beat in a stream of bytes, wherever the stream is cut (Knuth, Morris and Pratt). With an empty beat every
 * byte is one.
 */
export class BeatMatcher {
  /** How many bytes of the beat the stream ends with: all that has to be known of what came before. */
  matched = 0;
  /** For each prefix of the beat: the longest part of it that is its beginning and its end, but not all of it. */
  private readonly overlaps: readonly number[];

  constructor(private readonly beat: Uint8Array) {
    this.overlaps = overlapsOf(beat);
  }

  /** Whether a beat ends in `data`, the next bytes of the stream. */
  endsIn(data: Uint8Array): boolean {
    const { beat, overlaps } = this;
    if (beat.length === 0) return data.length > 0;
    let ends = false;
    for (let index = 0; index < data.length; index++) {
      this.matched = extended(beat, overlaps, this.matched, data[index]);
      if (this.matched < beat.length) continue;
      ends = true;
      this.matched = overlaps[this.matched - 1] ?? 0;
    }
    return ends;
  }
}

/** How much of the beat is matched after one more byte. */
function extended(
  beat: Uint8Array,
  overlaps: readonly number[],
  matched: number,
  byte: number | undefined,
): number {
  let length = matched;
  while (length > 0 && beat[length] !== byte) length = overlaps[length - 1] ?? 0;
  return length < beat.length && beat[length] === byte ? length + 1 : length;
}

function overlapsOf(beat: Uint8Array): readonly number[] {
  const overlaps: number[] = [];
  for (let index = 0; index < beat.length; index++)
    overlaps.push(index === 0 ? 0 : extended(beat, overlaps, overlaps[index - 1] ?? 0, beat[index]));
  return overlaps;
}
