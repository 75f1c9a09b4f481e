import { RmkError } from '@rmk/core';

/** Writes the saved state of devices and hart, little-endian and unpadded, into bytes that the caller allocated. */
export class StateWriter {
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes written so far. */
  get position(): number {
    return this.at;
  }

  u8(value: number): void {
    this.view.setUint8(this.advance(1), value);
  }

  /** Takes signed values too; only the low 32 bits are kept. */
  u32(value: number): void {
    this.view.setUint32(this.advance(4), value, true);
  }

  f64(value: number): void {
    this.view.setFloat64(this.advance(8), value, true);
  }

  private advance(bytes: number): number {
    const at = this.at;
    if (at + bytes > this.view.byteLength) throw outside('written', at, bytes, this.view.byteLength);
    this.at = at + bytes;
    return at;
  }
}

/** Reads what a {@link StateWriter} wrote, in the same order. */
export class StateReader {
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes read so far. */
  get position(): number {
    return this.at;
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  /** 0 to 2^32 - 1. */
  u32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  f64(): number {
    return this.view.getFloat64(this.advance(8), true);
  }

  private advance(bytes: number): number {
    const at = this.at;
    if (at + bytes > this.view.byteLength) throw outside('read', at, bytes, this.view.byteLength);
    this.at = at + bytes;
    return at;
  }
}

function outside(done: string, at: number, bytes: number, size: number): RmkError {
  return new RmkError(
    'RMK_ERR_STATE',
    `a saved state of ${size} bytes ends before the ${bytes} bytes to be ${done} at offset ${at}; ` +
      'give it the sum of the BYTES of everything that is saved in it',
  );
}
