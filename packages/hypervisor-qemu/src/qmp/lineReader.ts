import { RmkError } from '@rmk/core';

/**
 * Splits a stream that arrives in pieces into lines. Rejects a peer that never ends its line, instead of storing it.
 */
export class LineReader {
  private pieces: string[] = [];
  private length = 0;

  /** `source`: the name of the stream in errors. */
  constructor(
    private readonly source: string,
    private readonly longestLine: number,
  ) {}

  /** The lines that are complete with this piece, without their ends. Throws `RMK_ERR_INPUT` if one is too long. */
  read(piece: string): string[] {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = piece.indexOf('\n', start);
      if (end < 0) break;
      this.keep(piece.slice(start, end));
      lines.push(this.pieces.join('').replace(/\r$/, ''));
      this.pieces = [];
      this.length = 0;
      start = end + 1;
    }
    if (start < piece.length) this.keep(piece.slice(start));
    return lines;
  }

  private keep(part: string): void {
    this.length += part.length;
    if (this.length > this.longestLine) {
      throw new RmkError(
        'RMK_ERR_INPUT',
        `${this.source} sent a line of more than ${this.longestLine} characters: it does not speak the protocol`,
      );
    }
    this.pieces.push(part);
  }
}
