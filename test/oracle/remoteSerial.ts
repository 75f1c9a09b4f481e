/** Packets of the GDB remote serial protocol: `$` text `#` and the sum of the text's bytes, modulo 256, in hexadecimal. */
export function framed(text: string): string {
  let sum = 0;
  for (let index = 0; index < text.length; index += 1) sum += text.charCodeAt(index);
  return `$${text}#${(sum & 0xff).toString(16).padStart(2, '0')}`;
}

const CHECKSUM_CHARACTERS = 3;

/** Takes packets out of a stream that arrives in pieces. Acknowledgements are passed over. */
export class PacketReader {
  private rest = '';

  /** The texts of the packets that are complete with this piece. Throws where one is damaged. */
  read(piece: string): string[] {
    this.rest += piece;
    const packets: string[] = [];
    for (;;) {
      const start = this.rest.indexOf('$');
      const end = this.rest.indexOf('#', start);
      if (start < 0 || end < 0 || this.rest.length < end + CHECKSUM_CHARACTERS) return packets;
      const text = this.rest.slice(start + 1, end);
      const packet = this.rest.slice(start, end + CHECKSUM_CHARACTERS);
      if (framed(text) !== packet) throw new Error(`damaged packet from the gdb stub: ${packet}`);
      this.rest = this.rest.slice(end + CHECKSUM_CHARACTERS);
      packets.push(text);
    }
  }
}

/** A target's 32-bit number: bytes in the order of its memory, which is little-endian. */
export function wordAt(hexadecimal: string, offset = 0): number {
  const digits = hexadecimal.slice(offset, offset + 8);
  const value = Number.parseInt(digits, 16);
  if (digits.length !== 8 || Number.isNaN(value)) {
    throw new Error(`not a 32-bit register from the gdb stub: ${JSON.stringify(hexadecimal)}`);
  }
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
