import { RmkError } from '@rmk/core';
import { framed } from '@rmk/driver';

/** What gdb sends. `'refused'`: it got the last packet damaged. `'interrupt'`: ctrl-C. */
export type GdbRequest =
  { readonly kind: 'packet'; readonly text: string } | { readonly kind: 'damaged' | 'refused' | 'interrupt' };

/** Bytes of the longest packet that the server says it takes. */
export const PACKET_BYTES = 0x4000;
const CHECKSUM_CHARACTERS = 3;
const LONGEST = PACKET_BYTES + 1 + CHECKSUM_CHARACTERS;
const INTERRUPT = '\x03';

/** Extracts the requests of a stream that arrives in pieces of any size, one character a byte. */
export class RequestReader {
  private rest = '';

  /** The requests that are complete with this piece. Throws `RMK_ERR_INPUT` for a packet without an end. */
  read(piece: string): readonly GdbRequest[] {
    const stream = this.rest + piece;
    const requests: GdbRequest[] = [];
    let at = 0;
    while (at < stream.length) {
      const character = stream[at];
      if (character !== '$') {
        if (character === INTERRUPT) requests.push({ kind: 'interrupt' });
        if (character === '-') requests.push({ kind: 'refused' });
        at++;
        continue;
      }
      const mark = stream.indexOf('#', at);
      const end = mark < 0 ? Infinity : mark + CHECKSUM_CHARACTERS;
      if (end - at > LONGEST && stream.length - at > LONGEST)
        throw new RmkError('RMK_ERR_INPUT', `a packet of gdb has more than ${PACKET_BYTES} bytes`);
      if (end > stream.length) break;
      const text = stream.slice(at + 1, mark);
      const isWhole = framed(text).slice(-2) === stream.slice(mark + 1, end).toLowerCase();
      requests.push(isWhole ? { kind: 'packet', text } : { kind: 'damaged' });
      at = end;
    }
    this.rest = stream.slice(at);
    return requests;
  }
}

/** The bytes of a binary packet: those with a meaning in the protocol come behind a `}`. */
export function unescaped(data: string): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < data.length; at++) {
    const isEscape = data[at] === '}';
    if (isEscape) at++;
    bytes.push((data.charCodeAt(at) & 0xff) ^ (isEscape ? 0x20 : 0));
  }
  return Uint8Array.from(bytes);
}
