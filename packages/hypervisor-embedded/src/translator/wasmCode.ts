/** The opcodes of WebAssembly that translated code uses. */
export const Op = {
  UNREACHABLE: 0x00,
  BLOCK: 0x02,
  LOOP: 0x03,
  IF: 0x04,
  ELSE: 0x05,
  END: 0x0b,
  BR: 0x0c,
  BR_IF: 0x0d,
  BR_TABLE: 0x0e,
  RETURN: 0x0f,
  CALL: 0x10,
  CALL_INDIRECT: 0x11,
  SELECT: 0x1b,
  LOCAL_GET: 0x20,
  LOCAL_SET: 0x21,
  LOCAL_TEE: 0x22,
  I32_LOAD: 0x28,
  I32_LOAD8_S: 0x2c,
  I32_LOAD8_U: 0x2d,
  I32_LOAD16_S: 0x2e,
  I32_LOAD16_U: 0x2f,
  I32_STORE: 0x36,
  I32_STORE8: 0x3a,
  I32_STORE16: 0x3b,
  I32_CONST: 0x41,
  I64_CONST: 0x42,
  I32_EQZ: 0x45,
  I32_EQ: 0x46,
  I32_NE: 0x47,
  I32_LT_S: 0x48,
  I32_LT_U: 0x49,
  I32_GT_U: 0x4b,
  I32_GE_S: 0x4e,
  I32_GE_U: 0x4f,
  I32_CLZ: 0x67,
  I32_CTZ: 0x68,
  I32_POPCNT: 0x69,
  I32_ADD: 0x6a,
  I32_SUB: 0x6b,
  I32_MUL: 0x6c,
  I32_AND: 0x71,
  I32_OR: 0x72,
  I32_XOR: 0x73,
  I32_SHL: 0x74,
  I32_SHR_S: 0x75,
  I32_SHR_U: 0x76,
  I32_ROTL: 0x77,
  I32_ROTR: 0x78,
  I64_MUL: 0x7e,
  I64_DIV_S: 0x7f,
  I64_DIV_U: 0x80,
  I64_REM_S: 0x81,
  I64_REM_U: 0x82,
  I64_SHR_S: 0x87,
  I64_SHR_U: 0x88,
  I32_WRAP_I64: 0xa7,
  I64_EXTEND_I32_S: 0xac,
  I64_EXTEND_I32_U: 0xad,
  I32_EXTEND8_S: 0xc0,
  I32_EXTEND16_S: 0xc1,
} as const;

export type Op = (typeof Op)[keyof typeof Op];

/** The type of a block without a result, and of a value that is an i32. */
export const VOID = 0x40;
export const I32 = 0x7f;

/** Bytes of WebAssembly, appended to. */
export class WasmCode {
  private bytes: Uint8Array;
  private size = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.size;
  }

  toBytes(): Uint8Array {
    return this.bytes.subarray(0, this.size);
  }

  byte(value: number): this {
    if (this.size === this.bytes.length) this.grow(1);
    this.bytes[this.size++] = value;
    return this;
  }

  raw(bytes: Uint8Array): this {
    if (this.size + bytes.length > this.bytes.length) this.grow(bytes.length);
    this.bytes.set(bytes, this.size);
    this.size += bytes.length;
    return this;
  }

  /** LEB128, unsigned. */
  unsigned(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.byte(rest);
  }

  /** LEB128, signed, of a 32-bit number. */
  signed(value: number): this {
    let rest = value | 0;
    while (rest < -0x40 || rest >= 0x40) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    return this.byte(rest & 0x7f);
  }

  constant(value: number): this {
    return this.byte(Op.I32_CONST).signed(value);
  }

  get(local: number): this {
    return this.byte(Op.LOCAL_GET).unsigned(local);
  }

  set(local: number): this {
    return this.byte(Op.LOCAL_SET).unsigned(local);
  }

  tee(local: number): this {
    return this.byte(Op.LOCAL_TEE).unsigned(local);
  }

  /** A load or store at the address on the stack plus `offset`; the alignment is no promise to the engine. */
  access(op: Op, offset: number): this {
    return this.byte(op).byte(0).unsigned(offset);
  }

  /** A length and then the bytes of `body`. */
  sized(body: WasmCode): this {
    return this.unsigned(body.length).raw(body.toBytes());
  }

  section(id: number, body: WasmCode): this {
    return this.byte(id).sized(body);
  }

  private grow(least: number): void {
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.size + least));
    grown.set(this.bytes.subarray(0, this.size));
    this.bytes = grown;
  }
}
