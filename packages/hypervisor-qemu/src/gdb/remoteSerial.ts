import { RmkError } from '@rmk/core';
import { framed } from '@rmk/driver';

const CHECKSUM_CHARACTERS = 3;
/** Several times the packet size that any stub offers. */
const LONGEST_PACKET = 1 << 20;

/** Extracts the packets of a stream that arrives in pieces. Skips acknowledgements. */
export class PacketReader {
  private rest = '';

  /**
   * The texts of the packets that are complete with this piece. Throws `RMK_ERR_HYPERVISOR` if one is damaged or
   * endless.
   */
  read(piece: string): string[] {
    this.rest += piece;
    const packets: string[] = [];
    for (;;) {
      const start = this.rest.indexOf('$');
      const end = this.rest.indexOf('#', start);
      if (start < 0 || end < 0 || this.rest.length < end + CHECKSUM_CHARACTERS) {
        if (this.rest.length > LONGEST_PACKET) throw damaged(`one of more than ${LONGEST_PACKET} characters`);
        return packets;
      }
      const text = this.rest.slice(start + 1, end);
      const packet = this.rest.slice(start, end + CHECKSUM_CHARACTERS);
      if (framed(text) !== packet) throw damaged(packet);
      this.rest = this.rest.slice(end + CHECKSUM_CHARACTERS);
      packets.push(text);
    }
  }
}

function damaged(packet: string): RmkError {
  return new RmkError('RMK_ERR_HYPERVISOR', `damaged packet from the gdb stub: ${packet.slice(0, 200)}`);
}

/**
 * A target's number of `bits`: bytes in the order of its memory, which is little-endian. A stub that returns more pads
 * it. The inverse of `numberText`. Throws `RMK_ERR_HYPERVISOR` if it is no number, such as an error of the stub.
 */
export function numberAt(hexadecimal: string, bits: number, offset = 0): bigint {
  const digits = hexadecimal.slice(offset, offset + bits / 4);
  if (digits.length !== bits / 4 || !/^[0-9a-f]*$/i.test(digits)) {
    throw new RmkError(
      'RMK_ERR_HYPERVISOR',
      `not a ${bits}-bit register from the gdb stub: ${JSON.stringify(hexadecimal)}`,
    );
  }
  return BigInt(`0x${(digits.match(/../g) ?? []).toReversed().join('')}`);
}
