import { decodeFrame, HEADER_BYTES, payloadLength, type Frame } from './libraryProtocol.js';

/**
 * Splits the stream of the library, which arrives in pieces, into frames. Joins pieces only when a frame is complete.
 */
export class FrameReader {
  private pieces: Buffer[] = [];
  private bytes = 0;

  /** The frames that are complete with this piece. Throws `RMK_ERR_HYPERVISOR` at one of another protocol. */
  *read(piece: Buffer): Generator<Frame> {
    this.pieces.push(piece);
    this.bytes += piece.length;
    for (let frame = this.next(); frame !== undefined; frame = this.next()) yield frame;
  }

  private next(): Frame | undefined {
    if (this.bytes < HEADER_BYTES) return undefined;
    const [first] = this.pieces;
    const head = first !== undefined && first.length >= HEADER_BYTES ? first : this.join();
    const length = HEADER_BYTES + payloadLength(head);
    if (this.bytes < length) return undefined;
    const all = this.join();
    const rest = all.subarray(length);
    this.pieces = rest.length === 0 ? [] : [rest];
    this.bytes = rest.length;
    return decodeFrame(all.subarray(0, HEADER_BYTES), all.subarray(HEADER_BYTES, length));
  }

  private join(): Buffer {
    const joined = this.pieces.length === 1 ? this.pieces[0] : undefined;
    const all = joined ?? Buffer.concat(this.pieces);
    this.pieces = [all];
    return all;
  }
}
